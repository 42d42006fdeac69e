"""What can be looked up fast because it was written down twice: rebuilt from the refs whenever it is missing.

Nothing here decides anything: a number is only taken once its ref was created, and an open change only once
its own events said so.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gitops_hooks.edge.disk import full_disk, is_full
from gitops_hooks.model.change import ChangeRecord, ChangeState
from gitops_hooks.model.command import CommandState
from gitops_hooks.model.debt import Debt
from gitops_hooks.model.errors import EdgeError
from gitops_hooks.model.lazy_dataclass import dataclass
from gitops_hooks.model.record import RecordedTip

_TABLES = """
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY, owner TEXT NOT NULL, target TEXT NOT NULL, topic TEXT NOT NULL,
    open INTEGER NOT NULL, unfinished INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS mine ON changes (owner, open);
CREATE INDEX IF NOT EXISTS half ON changes (number) WHERE unfinished = 1;
CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS heads (head TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (head, number));
CREATE TABLE IF NOT EXISTS results (
    definition TEXT NOT NULL, tree TEXT NOT NULL, change INTEGER NOT NULL, passed INTEGER NOT NULL, event TEXT NOT NULL,
    PRIMARY KEY (definition, tree, change));
CREATE INDEX IF NOT EXISTS mine_of ON results (change);
CREATE TABLE IF NOT EXISTS tips (ref TEXT PRIMARY KEY, tip TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS intents (ref TEXT PRIMARY KEY, landing TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS debts (
    landing TEXT PRIMARY KEY, ref TEXT NOT NULL, change INTEGER NOT NULL, head TEXT NOT NULL, due INTEGER NOT NULL,
    opened INTEGER NOT NULL, paid INTEGER NOT NULL, payment TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Index:
    """One repository's open index file."""

    connection: sqlite3.Connection

    def _ask(self, words: str, values: tuple[object, ...] = ()) -> list[tuple[str, ...]]:
        with _told():
            return self.connection.execute(words, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _told():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                # SQLite itself has taken it back where the disk was full, and a second time is a fault of its own.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def fact(self, name: str) -> str:
        return next((row[0] for row in self._ask("SELECT value FROM facts WHERE name = ?", (name,))), "")

    def set_fact(self, name: str, value: str) -> None:
        self._ask("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # --- changes ---

    def reserve(self, owner: str, target: str, topic: str) -> int:
        """A number that no change in the index has; it is unfinished until its record is noted."""
        words = "INSERT INTO changes (owner, target, topic, open, unfinished) VALUES (?, ?, ?, 1, 1) RETURNING number"
        return int(self._ask(words, (owner, target, topic))[0][0])

    def begin(self, number: int) -> None:
        """Refs of this change are about to be written: whoever finds it so later looks whether they all were."""
        # One that was only just reserved is: a row that is written all the same would be synced to the disk once more.
        self._ask("UPDATE changes SET unfinished = 1 WHERE number = ? AND unfinished = 0", (number,))

    def unfinished(self) -> tuple[int, ...]:
        """The changes whose writer has not come to its end."""
        return tuple(int(row[0]) for row in self._ask("SELECT number FROM changes WHERE unfinished = 1"))

    def target(self, number: int) -> str:
        """The full ref that a number was reserved for, or ""."""
        return next((row[0] for row in self._ask("SELECT target FROM changes WHERE number = ?", (number,))), "")

    def open_numbers(self, owner: str) -> tuple[int, ...]:
        """The numbers that may be open changes of this owner, newest first."""
        words = "SELECT number FROM changes WHERE owner = ? AND open = 1 ORDER BY number DESC"
        return tuple(int(row[0]) for row in self._ask(words, (owner,)))

    def open_on(self, owner: str, target: str, topic: str) -> tuple[int, ...]:
        """Likewise for one target and topic."""
        words = "SELECT number FROM changes WHERE owner = ? AND open = 1 AND target = ? AND topic = ? ORDER BY number"
        return tuple(int(row[0]) for row in self._ask(words, (owner, target, topic)))

    def numbers_on(self, owner: str, target: str, topic: str) -> tuple[int, ...]:
        """The numbers of this owner for one target and topic, whatever became of them."""
        words = "SELECT number FROM changes WHERE owner = ? AND target = ? AND topic = ? ORDER BY number"
        return tuple(int(row[0]) for row in self._ask(words, (owner, target, topic)))

    def is_open(self, number: int) -> bool:
        """Whether a change may be open: one that is not here may be."""
        return all(row[0] for row in self._ask("SELECT open FROM changes WHERE number = ?", (number,)))

    def waiting(self) -> tuple[int, ...]:
        """The changes that may land by themselves once they can, lowest first."""
        return tuple(int(row[0]) for row in self._ask("SELECT number FROM waiting ORDER BY number"))

    def newest(self, most: int, *, only_open: bool) -> tuple[int, ...]:
        """The newest numbers, newest first."""
        words = "SELECT number FROM changes WHERE open >= ? ORDER BY number DESC LIMIT ?"
        return tuple(int(row[0]) for row in self._ask(words, (int(only_open), most)))

    def with_head(self, head: str) -> tuple[int, ...]:
        """The changes that have a revision at this commit, newest first."""
        words = "SELECT number FROM heads WHERE head = ? ORDER BY number DESC"
        return tuple(int(row[0]) for row in self._ask(words, (head,)))

    def note(self, record: ChangeRecord) -> None:
        """Take over what the record says of a change, whose refs are all written."""
        with self._transaction():
            self._note(record)

    def _note(self, record: ChangeRecord) -> None:
        is_open = record.state is ChangeState.OPEN
        values = (record.number, record.owner, record.target, record.topic, is_open)
        self.connection.execute("INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?, 0)", values)
        self.connection.execute("DELETE FROM waiting WHERE number = ?", (record.number,))
        if is_open and record.head.auto_land_by:
            self.connection.execute("INSERT INTO waiting VALUES (?)", (record.number,))
        gone = self.connection.execute("DELETE FROM results WHERE change = ?", (record.number,)).rowcount
        rows = [(r.definition, r.tree, record.number, r.state is CommandState.PASSED, r.event) for r in record.results]
        self.connection.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", rows)
        if gone or rows:
            self.set_fact("results", str(int(self.results_sign()) + 1))
        heads = [(revision.head, record.number) for revision in record.revisions]
        self.connection.executemany("INSERT OR IGNORE INTO heads VALUES (?, ?)", heads)

    def results(self, definition: str, tree: str) -> tuple[tuple[int, str], ...]:
        """(change, event) of each known run of a command on a tree; those that passed first."""
        words = "SELECT change, event FROM results WHERE definition = ? AND tree = ? ORDER BY passed DESC, change"
        return tuple((int(row[0]), row[1]) for row in self._ask(words, (definition, tree)))

    def results_sign(self) -> str:
        """A number that is another after every result that is noted."""
        return self.fact("results") or "0"

    def forget(self, number: int) -> None:
        """A reserved number came to nothing; it stays taken."""
        self._ask("UPDATE changes SET open = 0, unfinished = 0 WHERE number = ?", (number,))

    def rebuild_changes(self, records: Iterable[ChangeRecord]) -> None:
        """Replace the tables by what the records say."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM changes")
            connection.execute("DELETE FROM heads")
            connection.execute("DELETE FROM waiting")
            connection.execute("DELETE FROM results")
            for record in records:
                self._note(record)
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('changes', 'built')")

    # --- debts of break-glass ---

    def debts(self, ref: str = "") -> tuple[Debt, ...]:
        """What is owed on a ref (or on all), oldest first."""
        words = "SELECT * FROM debts WHERE paid = 0 AND (? = '' OR ref = ?) ORDER BY opened"
        return tuple(_debt(row) for row in self._ask(words, (ref, ref)))

    def debts_before(self, ref: str, number: int) -> tuple[Debt, ...]:
        """All debts of a ref that were made before this event of the log, paid since or not."""
        words = "SELECT * FROM debts WHERE ref = ? AND opened < ? ORDER BY opened"
        return tuple(_debt(row) for row in self._ask(words, (ref, number)))

    def debts_of(self, change: int) -> tuple[Debt, ...]:
        """The debts of one change, paid or not."""
        return tuple(_debt(row) for row in self._ask("SELECT * FROM debts WHERE change = ?", (change,)))

    # --- recorded tips ---

    def tip(self, ref: str) -> RecordedTip | None:
        rows = self._ask("SELECT ref, tip, record FROM tips WHERE ref = ?", (ref,))
        return RecordedTip(*rows[0]) if rows else None

    def tips(self) -> tuple[RecordedTip, ...]:
        return tuple(RecordedTip(*row) for row in self._ask("SELECT ref, tip, record FROM tips ORDER BY ref"))

    def intent(self, ref: str) -> str:
        """The open landing of a ref (its event's commit), or ""."""
        return next((row[0] for row in self._ask("SELECT landing FROM intents WHERE ref = ?", (ref,))), "")

    def intents(self) -> tuple[tuple[str, str], ...]:
        """All open landings as (ref, event)."""
        return tuple((row[0], row[1]) for row in self._ask("SELECT ref, landing FROM intents ORDER BY ref"))

    def advance(self, seen: str, step: "Step") -> bool:
        """Take over one step of the log that begins at `seen`; False where another was faster."""
        with self._transaction() as connection:
            if self.fact("log") != seen:
                return False
            if step.anew:
                connection.execute("DELETE FROM tips")
                connection.execute("DELETE FROM intents")
                connection.execute("DELETE FROM debts")
            connection.executemany("DELETE FROM tips WHERE ref = ?", [(tip.ref,) for tip in step.tips])
            rows = [(tip.ref, tip.tip, tip.record) for tip in step.tips if tip.tip]
            connection.executemany("INSERT INTO tips VALUES (?, ?, ?)", rows)
            connection.executemany("DELETE FROM intents WHERE ref = ?", [(ref,) for ref, _ in step.intents])
            open_ones = [(ref, landing) for ref, landing in step.intents if landing]
            connection.executemany("INSERT INTO intents VALUES (?, ?)", open_ones)
            for debt in step.debts:
                connection.execute("DELETE FROM debts WHERE landing = ?", (debt.landing,))
                if debt.ref:
                    connection.execute("INSERT INTO debts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(debt))
            for landing, paid, payment in step.payments:
                words = "UPDATE debts SET paid = ?, payment = ? WHERE landing = ?"
                connection.execute(words, (paid, payment, landing))
            facts = [("log", step.log_tip), ("default", step.default)]
            connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts)
        return True


@dataclass(frozen=True, slots=True)
class Step:
    """What one stretch of the log adds up to; a tip or intent of "" means that there is none any more.

    `anew` says that the stretch begins at the adoption and replaces everything before; a debt without a ref came
    to nothing; `payments` are (landing, number, event).
    """

    log_tip: str
    default: str
    tips: tuple[RecordedTip, ...]
    intents: tuple[tuple[str, str], ...]
    anew: bool
    debts: tuple[Debt, ...] = ()
    payments: tuple[tuple[str, int, str], ...] = ()


def _row(debt: Debt) -> tuple[object, ...]:
    due = int(debt.due.timestamp())
    return (debt.landing, debt.ref, debt.change, debt.head, due, debt.opened, debt.paid, debt.payment)


def _debt(row: tuple[str, ...]) -> Debt:
    landing, ref, change, head, due, opened, paid, payment = row
    return Debt(landing, ref, int(change), head, datetime.fromtimestamp(int(due), UTC), int(opened), int(paid), payment)


def open_index(folder: Path) -> Index:
    """The index in a repository's state folder, made where it is missing or broken."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "index.sqlite"
    try:
        with _told():
            return _connect(path)
    except sqlite3.DatabaseError:
        # Not a database any more: everything in it is in the refs too.
        path.unlink(missing_ok=True)
        return _connect(path)


@contextmanager
def _told() -> Iterator[None]:
    """Errors: EdgeError where the file cannot be read or written at this moment: a full disk, or another's lock."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise (full_disk() if is_full(str(error)) else EdgeError("the repository's index", str(error))) from None


def passing_index() -> Index:
    """One that lives as long as this process: for a mirror, beside which nothing is kept."""
    return _connect(":memory:")


def _connect(path: Path | str) -> Index:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.executescript("PRAGMA synchronous = NORMAL;" + _TABLES)
    return Index(connection)


def forget_index(folder: Path) -> None:
    """Remove the index; it is built again from the refs when it is next opened."""
    for path in folder.glob("index.sqlite*"):
        path.unlink()
