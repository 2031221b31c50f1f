"""The 22 queries of TPC-H, unchanged, on data of the public generator: through the whole engine, judged by DuckDB."""
