"""`python -m smpc_sql` is `smpc-sql`."""

from smpc_sql.cli import main

if __name__ == "__main__":
    main()
