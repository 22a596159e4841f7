"""Generated from proto/genlevel/v1 by `make proto`: the contract that the services share."""
