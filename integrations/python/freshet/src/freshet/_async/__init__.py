"""The asynchronous client. `freshet._sync` is generated from this package."""
