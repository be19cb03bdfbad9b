"""The statements of the contract, written once for all engines; each function is one transaction.

Values are named (`:id`), times are whole milliseconds, and there is at most one statement for any
number of rows.
"""
