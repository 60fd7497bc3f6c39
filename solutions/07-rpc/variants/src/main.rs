//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    rpc_client_amqprs = "rpc_client-amqprs.rs",
    rpc_client_asks_first = "rpc_client-asks-first.rs",
    rpc_client_own_name = "rpc_client-own-name.rs",
    rpc_client_tutorial = "rpc_client-tutorial.rs",
    rpc_client_direct_amqprs = "rpc_client_direct-amqprs.rs",
    rpc_client_direct_asks_first = "rpc_client_direct-asks-first.rs",
    rpc_client_direct_tutorial = "rpc_client_direct-tutorial.rs",
    rpc_server_amqprs = "rpc_server-amqprs.rs",
    rpc_server_asks_first = "rpc_server-asks-first.rs",
    rpc_server_rejects = "rpc_server-rejects.rs",
    rpc_server_tutorial = "rpc_server-tutorial.rs",
    rpc_server_two_channels = "rpc_server-two-channels.rs",
    rpc_server_two_connections = "rpc_server-two-connections.rs",
    rpc_server_two_consumers = "rpc_server-two-consumers.rs",
}
