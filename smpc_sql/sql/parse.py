"""SQL text to statements. sqlglot reads it; what it would accept and we would not, is refused by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from smpc_sql.errors import QueryError, SyntaxInvalid, Unsupported, too_deep_is_refused
from smpc_sql.sql.ddl import bind_create_table
from smpc_sql.sql.nodes import construct, line_and_column, located, only
from smpc_sql.sql.settings import parse_settings
from smpc_sql.sql.statements import (
    CheckTable,
    CopyFrom,
    CreateTable,
    CreateTableAs,
    CreateView,
    Describe,
    DropTable,
    DropView,
    Explain,
    Select,
    ShowTables,
    Statement,
    with_settings,
)

MAX_TEXT = 1 << 20
"""The longest SQL text, in characters."""

_MAX_DEPTH = 60


def parse_statements(text: str) -> tuple[Statement, ...]:
    """The statements of a text, separated by semicolons.

    Raises SyntaxInvalid where it is not SQL, Unsupported where it is no statement of ours, with line and column; and
    for CREATE TABLE what ddl.py raises.
    """
    if len(text) > MAX_TEXT:
        raise SyntaxInvalid(f"a text of more than {MAX_TEXT} characters is not supported")
    if "\x00" in text:
        raise SyntaxInvalid("a text with a NUL character is not SQL")
    with too_deep_is_refused():
        return tuple(_statement(part, text) for part in _split(text))


def _split(text: str) -> Iterator[list[Token]]:
    part: list[Token] = []
    for token in _tokens(text):
        if token.token_type == TokenType.SEMICOLON:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


class _Tokenizer(DuckDB.Tokenizer):
    """DuckDB's, but no statement is swallowed as one string: EXPLAIN is a word before the query that it explains."""

    KEYWORDS: ClassVar = {
        **DuckDB.Tokenizer.KEYWORDS,
        "EXPLAIN": TokenType.VAR,
        "VARCHAR": TokenType.VARCHAR,  # not TEXT: its length is a bound
    }
    COMMANDS: ClassVar = set()


def _tokens(text: str) -> list[Token]:
    try:
        return list(_Tokenizer(dialect="duckdb").tokenize(text))
    except TokenError as error:
        raise SyntaxInvalid(f"{_plain(str(error))[:100]}: is a quote or a comment left open?") from None


def _statement(part: list[Token], text: str) -> Statement:
    first = part[0]
    words = [token.text.upper() for token in part[:3]]
    sql = text[first.start : part[-1].end + 1]
    try:
        match words:
            case ["EXPLAIN", _, *_]:
                analyze, json, begin = _explain_options(part)
                inner = _statement(part[begin:], text) if part[begin:] else None
                if not isinstance(inner, Select):
                    raise Unsupported("EXPLAIN of anything but a query is not supported")
                return Explain(inner, analyze, json)
            case ["SET", "STATEMENT", _]:
                return _set(part, text)
            case ["SELECT" | "WITH" | "FROM" | "(", *_]:
                return Select(_parse(part, text), sql, text, first.start)
            case ["VALUES", *_]:
                return Select(_selected(_parse(part, text)), sql, text, first.start)
            case ["PIVOT" | "UNPIVOT", *_]:
                return Select(_pivot(part, text), sql, text, first.start)
            case ["CREATE", "TABLE" | "VIEW", *_] | ["CREATE", "OR", "REPLACE"]:
                return _create(_parse(part, text), sql, text)
            case ["DROP", "TABLE" | "VIEW", *_]:
                return _drop(_parse(part, text))
            case ["COPY", *_]:
                return _copy(_parse(part, text))
            case ["CHECK", "TABLE", _] if len(part) == 3:
                return CheckTable(part[2].text)
            case ["SHOW", "TABLES"]:
                return ShowTables()
            case ["DESCRIBE" | "DESC", _]:
                return _describe(_parse(part, text))
            case _:
                raise Unsupported(f"statement {' '.join(words[:2])} is not supported")
    except QueryError as error:
        if error.line:
            raise
        line, column = line_and_column(text, first.start)
        raise type(error)(error.message, line=line, column=column) from error


def _selected(table: exp.Expr) -> exp.Select:
    """A table as a query."""
    if isinstance(table, exp.Values) and table.args.get("alias") is None:
        return exp.select("*").from_(table)
    return exp.select("*").from_(exp.Subquery(this=table))


def _pivot(part: list[Token], text: str) -> exp.Expr:
    """PIVOT and UNPIVOT as statements: the parser does not know what may follow them."""
    depth, end = 0, len(part)
    for place, token in enumerate(part):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if not depth and token.token_type in (TokenType.ORDER_BY, TokenType.LIMIT, TokenType.OFFSET):
            end = place
            break
    query = _selected(_parse(part[:end], text))
    if end < len(part):
        tail = _parse([*_tokens("SELECT * FROM pivot"), *part[end:]], text)
        for clause in ("order", "limit", "offset"):
            query.set(clause, tail.args.get(clause))
    return query


def _set(part: list[Token], text: str) -> Statement:
    """SET STATEMENT name = value, … FOR statement."""
    words = [token.text.upper() for token in part]
    if "FOR" not in words or not part[words.index("FOR") + 1 :]:
        raise SyntaxInvalid("SET STATEMENT has FOR and a statement behind its settings")
    end = words.index("FOR")
    settings = parse_settings(text[part[2].start : part[end].start])
    return with_settings(_statement(part[end + 1 :], text), settings)


def _explain_options(part: list[Token]) -> tuple[bool, bool, int]:
    """Whether EXPLAIN says ANALYZE, or FORMAT JSON, and which token comes next."""
    words = [token.text.upper() for token in part]
    if words[1] == "ANALYZE":
        return True, False, 2
    if words[1] != "(" or words[2:3] not in (["ANALYZE"], ["FORMAT"]):
        return False, False, 1
    end = words.index(")") if ")" in words else len(words)
    analyze = json = False
    for option in " ".join(words[2:end]).split(","):
        match option.split():
            case ["ANALYZE"]:
                analyze = True
            case ["FORMAT", "JSON"]:
                json = True
            case ["FORMAT", "TEXT"]:
                json = False
            case _:
                raise Unsupported(f"EXPLAIN with {option.strip()[:50]} is not supported; ANALYZE, FORMAT JSON are")
    return analyze, json, end + 1


def _parse(part: list[Token], text: str) -> exp.Expr:
    _check_depth(part, text)
    try:
        parsed = DuckDB().parser().parse(part, text)
    except ParseError as error:
        details = error.errors[0] if error.errors else {}
        message = _plain(str(details.get("description") or error))
        line, column = _place(part, details)
        found = details.get("highlight") or "the end"
        raise SyntaxInvalid(f"{message}, at {found[:50]}", line=line, column=column) from None
    node = parsed[0]
    if len(parsed) != 1 or node is None:
        raise SyntaxInvalid("not a statement")
    return node


def _place(part: list[Token], details: dict[str, object]) -> tuple[int, int]:
    """sqlglot gives the place where a token ends; we give where it starts."""
    line, column = details.get("line"), details.get("col")
    for token in part:
        if (token.line, token.col) == (line, column):
            return token.line, max(1, token.col - (token.end - token.start))
    return part[-1].line, part[-1].col


def _plain(message: str) -> str:
    """An error of sqlglot's without its colours and its class names."""
    message = re.sub(r"\x1b\[\d*m", "", message).split(" Line ")[0]
    message = re.sub(r"Required keyword: '(\w+)' missing for <class '[\w.]*?(\w+)'>", r"\2 lacks an operand", message)
    return message.strip().rstrip(".")


def _check_depth(part: list[Token], text: str) -> None:
    """Nesting is bounded before anything recurses: by open brackets and CASEs, and by runs of NOT, - and +."""
    kinds = TokenType
    depth, run = 0, 0
    for token in part:
        if token.token_type in (kinds.L_PAREN, kinds.L_BRACKET, kinds.L_BRACE, kinds.CASE):
            depth += 1
        elif token.token_type in (kinds.R_PAREN, kinds.R_BRACKET, kinds.R_BRACE, kinds.END):
            depth -= 1
        run = run + 1 if token.token_type in (kinds.NOT, kinds.DASH, kinds.PLUS, kinds.TILDE) else 0
        if depth > _MAX_DEPTH or run > _MAX_DEPTH:
            line, column = line_and_column(text, token.start)
            raise Unsupported(f"nesting deeper than {_MAX_DEPTH} is not supported", line=line, column=column)


def _create(node: exp.Expr, sql: str, text: str) -> CreateTable | CreateTableAs | CreateView:
    kind = str(node.args.get("kind")).upper()
    if not isinstance(node, exp.Create) or kind not in ("TABLE", "VIEW"):
        raise Unsupported(f"statement CREATE {kind} is not supported")
    exists, replaces = bool(node.args.get("exists")), bool(node.args.get("replace"))
    if exists and replaces:
        raise SyntaxInvalid("OR REPLACE and IF NOT EXISTS exclude one another")
    if node.args.get("expression") is not None:
        name, columns, select = _named_query(node, sql, text)
        made = CreateView if kind == "VIEW" else CreateTableAs
        return made(name, columns, select, sql, exists, replaces)
    if kind == "VIEW":
        raise SyntaxInvalid("CREATE VIEW needs a query behind AS")
    return CreateTable(bind_create_table(node, text), sql, exists, replaces)


def _named_query(node: exp.Create, sql: str, text: str) -> tuple[str, tuple[str, ...], Select]:
    """The name, the names of columns, and the query behind AS."""
    query = node.args["expression"]
    with located(node, text):
        only(node, "this", "kind", "exists", "replace", "expression")
        if not isinstance(query, exp.Query | exp.Values):
            raise Unsupported(f"{construct(query)} behind AS is not supported")
        schema = node.this if isinstance(node.this, exp.Schema) else None
        table = node.this if schema is None else schema.this
        only(table, "this")
        columns = [] if schema is None else schema.expressions
        if not all(isinstance(column, exp.Identifier) for column in columns):
            raise Unsupported("types of columns are not declared where a query gives them")
        start = min((n.meta["start"] for n in table.walk() if "start" in n.meta), default=0)
    return table.name, tuple(column.name for column in columns), Select(query, _behind_as(sql), text, start)


def _behind_as(sql: str) -> str:
    """The text of a query in CREATE … AS query: all behind the first AS, which no name before it can be."""
    token = next(t for t in _tokens(sql) if t.token_type == TokenType.ALIAS)
    return sql[token.end + 1 :].strip()


def _drop(node: exp.Expr) -> DropTable | DropView:
    only(node, "tables", "kind", "exists")
    tables = node.args.get("tables") or []
    if not isinstance(node, exp.Drop) or len(tables) != 1:
        raise Unsupported("DROP of several tables at once is not supported")
    only(tables[0], "this")
    dropped = DropView if str(node.args.get("kind")).upper() == "VIEW" else DropTable
    return dropped(tables[0].name, bool(node.args.get("exists")))


def _copy(node: exp.Expr) -> CopyFrom:
    files = node.args.get("files") or []
    if not isinstance(node, exp.Copy) or not node.args.get("kind") or len(files) != 1:
        raise Unsupported("COPY of anything but one file into a table (COPY table FROM 'file') is not supported")
    if not isinstance(node.this, exp.Table):
        raise Unsupported("COPY with a list of columns is not supported: a header names them")
    only(node.this, "this")
    copy = CopyFrom(node.this.name, files[0].name)
    for option in node.args.get("params") or []:
        name, value = option.name.upper(), option.args.get("expression")
        match name:
            case "DELIMITER" | "DELIM" | "SEP" if value is not None:
                copy = replace(copy, delimiter=value.name)
            case "HEADER":
                copy = replace(copy, header=value is None or value.sql().upper() in ("TRUE", "1"))
            case "FORMAT" if value is not None and value.name.upper() == "CSV":
                pass
            case _:
                raise Unsupported(f"COPY with {name} is not supported; FORMAT CSV, HEADER and DELIMITER are")
    return copy


def _describe(node: exp.Expr) -> Describe:
    if not isinstance(node, exp.Describe) or not isinstance(node.this, exp.Table):
        raise Unsupported("DESCRIBE of anything but a table is not supported")
    only(node.this, "this")
    return Describe(node.this.name)
