"""What each process is given in a cluster."""

from typing import Final

NEEDS: Final = {
    "migrate": ["owner_url"],
    "api": [
        "database_url", "gateway_url", "api_keys", "jwt_keys", "log_hash_key", "redis_url", "chain_grpc_url",
        "chain_token", "webhook_key",
    ],
    "relay": ["database_url", "rabbitmq_url"],
    "recover": ["database_url", "gateway_url", "redis_url", "evm_rpc_url", "chain_contract"],
    "reconcile": ["database_url", "gateway_url"],
    "metrics": ["consumers_url", "rabbitmq_url"],
    "audit": ["consumers_url", "rabbitmq_url"],
    "rewards": ["database_url", "rabbitmq_url"],
    "webhooks": ["database_url", "rabbitmq_url", "webhook_key"],
    "mint": ["database_url", "rabbitmq_url", "chain_grpc_url", "chain_token"],
    "chain": ["database_url", "evm_rpc_url", "chain_id", "chain_contract", "chain_key_file", "chain_token"],
}  # fmt: skip
"""Settings. Of recovery those, too, that `strongbox verify` has there."""
CALLS_STRANGERS: Final = {"webhooks": {443}}
"""Who calls whom no setting names, and on which ports."""
READS_FILES: Final = {
    "api": {"/run/strongbox": "jwt-keys", "/run/chain-ca": "chain-ca"},
    "mint": {"/run/chain-ca": "chain-ca"},
    "chain": {"/run/strongbox": "chain-key", "/run/chain-tls": "chain-tls"},
}
"""Where the files of a secret are mounted."""
