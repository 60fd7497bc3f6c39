# rpc_client_direct.py as it is, for a server that declares the queue in the same way
import pathlib
import runpy

runpy.run_path(str(pathlib.Path(__file__).with_name("rpc_client_direct.py")), run_name="__main__")
