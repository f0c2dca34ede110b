"""The `test` provider: it charges no money, keeps a ledger on disk, and its tokens choose the outcome."""
