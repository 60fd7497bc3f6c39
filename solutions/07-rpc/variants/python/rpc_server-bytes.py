# rpc_server.py as it is: pika passes on a correlation id that is no text
import pathlib
import runpy

runpy.run_path(str(pathlib.Path(__file__).with_name("rpc_server.py")), run_name="__main__")
