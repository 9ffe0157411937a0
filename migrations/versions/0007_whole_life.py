"""The whole life of a complaint: rounds, stays, requests, reports, appeals; clocks as rows with policies.

A database of the first parts is carried over: each complaint gets its first round, the desks it lay
at (told by its diary), and the first date of its deadline.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CODE = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")
POSTS = "IO SHO DSP SP ADGP BRANCH FEEDBACK AUDIT"
ACTIONS = (
    "REGISTERED MARKED ASSIGNED DISPOSED DELIVERED VISIT STATEMENT CALL NOTICE DOCUMENT "
    "DIRECTION OTHER FEEDBACK IMPORTED PHOTO CORRECTION COMPLIED ASKED GRANTED REFUSED RESUMED "
    "REPORTED RETURNED FORWARDED TRANSFERRED ACCEPTED DECLINED REFERRED HANDED_OVER LINKED "
    "MERGED CONSENT WITHDRAWN ATTEMPT PROGRESS REOPENED APPEALED APPEAL_DECIDED ACCUSED"
)
CLOCKS = (
    "OVERALL ASSIGN FIRST_CONTACT ACTIVITY APPROVE ACCEPT COMPLY DELIVER FEEDBACK APPEAL_WINDOW "
    "APPEAL PRELIMINARY PROGRESS"
)
STATUSES = (
    "REGISTERED MARKED ASSIGNED UNDER_ENQUIRY ON_HOLD REPORT_SUBMITTED RETURNED WITH_APPROVER DISPOSED "
    "REPORT_DELIVERED FEEDBACK CLOSED APPEALED TRANSFERRED_OUT MERGED WITHDRAWN"
)
PAPERS = "COPY REPORT INTERIM REOPENED APPEAL NOTING"
OLD_STATUSES = "REGISTERED MARKED ASSIGNED UNDER_ENQUIRY DISPOSED REPORT_DELIVERED CLOSED"
OLD_ACTIONS = (
    "REGISTERED MARKED ASSIGNED DISPOSED DELIVERED VISIT STATEMENT CALL NOTICE DOCUMENT DIRECTION OTHER "
    "FEEDBACK IMPORTED"
)
OPEN = (
    "is_open = (status IN ('REGISTERED','MARKED','ASSIGNED','UNDER_ENQUIRY','ON_HOLD',"
    "'REPORT_SUBMITTED','RETURNED','WITH_APPROVER'))"
)
OLD_OPEN = "is_open = (status IN ('REGISTERED','MARKED','ASSIGNED','UNDER_ENQUIRY'))"


def choice(name, members):
    """A column of member names under a named CHECK."""
    return sa.Enum(*members.split(), name=name, native_enum=False, create_constraint=True, length=20)


def one_of(column, members):
    """The words of such a CHECK."""
    return f"{column} IN ({', '.join(repr(m) for m in members.split())})"


def lite():
    return op.get_bind().dialect.name == "sqlite"


def recheck(table, name, old, new):
    """Put another condition under a CHECK of the same name.

    SQLite cannot alter one, and rebuilding millions of rows for it would take the station offline:
    what is stored does not change, so the words of the table are changed (sqlite.org/lang_altertable,
    section 7), and an unknown wording stops the upgrade.
    """
    if not lite():
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, new)
        return
    bind = op.get_bind()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    words = bind.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :t"), {"t": table})
    sql = words.scalar_one()
    before, after = f"CONSTRAINT {name} CHECK ({old})", f"CONSTRAINT {name} CHECK ({new})"
    if sql.count(before) != 1:
        raise RuntimeError(f"{table}: {before} is not in the table")
    bind.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :t"),
        {"sql": sql.replace(before, after), "t": table},
    )
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=OFF")


def point_at(table, name, target):
    """Add a column that points at a row of another table."""
    if lite():
        fk = f"CONSTRAINT fk_{table}_{name} REFERENCES {target} (id)"
        op.get_bind().exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} INTEGER {fk}")
        return
    op.add_column(table, sa.Column(name, KEY, nullable=True))
    op.create_foreign_key(op.f(f"fk_{table}_{name}"), table, target, [name], ["id"])


TABLES = (
    "hold_reason",
    "quick_text",
    "approval_rule",
    "disposition_field",
    "holiday",
    "policy",
    "proposal",
    "complaint_link",
    "enquiry_report",
    "request",
    "round",
    "seen",
    "stay",
    "attachment",
    "deadline_change",
    "decision",
    "direction",
    "hold",
    "consent",
    "report_finding",
    "appeal",
    "submission",
)
"""New ones, parents before their children."""


def add_choice(table, name, members, default):
    """Add a column of member names; the words are the same on both databases."""
    check = f"CONSTRAINT ck_{table}_{name} CHECK ({one_of(name, members)})"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {name} VARCHAR(20) DEFAULT '{default}' NOT NULL {check}")


MERGED = "(status = 'MERGED') = (merged_into_id IS NOT NULL)"
AWAITING = "status IN ('ON_HOLD','REPORT_SUBMITTED','RETURNED','WITH_APPROVER','FEEDBACK','APPEALED')"
RUNNING = "met_at IS NULL AND dropped_at IS NULL"


def recheck_complaint(statuses, before, old, new):
    """Statuses and the meaning of open; on SQLite the check of a merger rides along."""
    recheck("complaint", "ck_complaint_status", one_of("status", before), one_of("status", statuses))
    recheck("complaint", "ck_complaint_open", old, new)


def partial(name, table, columns, where):
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def upgrade():
    make_tables()
    op.add_column("accused", sa.Column("dropped_at", sa.DateTime(), nullable=True))
    point_at("action", "corrects_id", "action")
    point_at("complaint", "transfer_to_id", "unit")
    point_at("complaint", "merged_into_id", "complaint")
    op.add_column("posting", sa.Column("order_no", sa.String(length=60), server_default="", nullable=False))
    add_choice("posting", "charge", "SUBSTANTIVE ACTING COVER", "SUBSTANTIVE")
    recheck("action", "ck_action_kind", one_of("kind", OLD_ACTIONS), one_of("kind", ACTIONS))
    recheck("document", "ck_document_kind", one_of("kind", "COPY REPORT"), one_of("kind", PAPERS))
    merged = f"{OPEN}), CONSTRAINT ck_complaint_merged CHECK ({MERGED}" if lite() else OPEN
    recheck_complaint(STATUSES, OLD_STATUSES, OLD_OPEN, merged)
    if not lite():
        op.create_check_constraint(op.f("ck_complaint_merged"), "complaint", MERGED)
    partial("ix_complaint_awaiting", "complaint", ["unit_id", "status", "id"], AWAITING)
    partial("ix_complaint_transfer_to", "complaint", ["transfer_to_id", "id"], "transfer_to_id IS NOT NULL")
    if lite():
        rebuild_deadline()
    else:
        widen_deadline()
    partial("ix_deadline_running", "deadline", ["kind", "due_at", "id"], RUNNING)
    carry_over()


def rebuild_deadline():
    """SQLite cannot change a unique key in place; foreign keys are off while a migration runs."""
    op.create_table(
        "deadline_new",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("complaint_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("no", sa.Integer(), server_default="1", nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("span", sa.String(20), server_default="DAYS", nullable=False),
        sa.Column("statutory", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("rolled", sa.JSON(), nullable=True),
        sa.Column("first_due_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("met_at", sa.DateTime(), nullable=True),
        sa.Column("dropped_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(one_of("kind", CLOCKS), name=op.f("ck_deadline_kind")),
        sa.CheckConstraint(one_of("span", "DAYS WORKING_DAYS HOURS"), name=op.f("ck_deadline_span")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_deadline_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint("complaint_id", "round", "kind", "no", name=op.f("uq_deadline_complaint_id_round_kind_no")),
    )
    op.execute(
        "INSERT INTO deadline_new (id, complaint_id, round, kind, started_on, started_at, days, first_due_at, due_at, "
        "met_at) SELECT d.id, d.complaint_id, d.round, d.kind, d.started_on, c.registered_at, d.days, d.due_at, "
        "d.due_at, d.met_at FROM deadline d JOIN complaint c ON c.id = d.complaint_id"
    )
    op.drop_table("deadline")
    op.rename_table("deadline_new", "deadline")


def widen_deadline():
    """PostgreSQL: columns, then what they hold, then what must hold of them."""
    op.add_column("deadline", sa.Column("no", sa.Integer(), server_default="1", nullable=False))
    op.add_column("deadline", sa.Column("started_at", sa.DateTime(), nullable=True))
    add_choice("deadline", "span", "DAYS WORKING_DAYS HOURS", "DAYS")
    op.add_column("deadline", sa.Column("statutory", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("deadline", sa.Column("rolled", sa.JSON(), nullable=True))
    op.add_column("deadline", sa.Column("first_due_at", sa.DateTime(), nullable=True))
    op.add_column("deadline", sa.Column("dropped_at", sa.DateTime(), nullable=True))
    op.execute(
        "UPDATE deadline SET started_at = c.registered_at, first_due_at = deadline.due_at "
        "FROM complaint c WHERE c.id = deadline.complaint_id"
    )
    op.alter_column("deadline", "started_at", nullable=False)
    op.alter_column("deadline", "first_due_at", nullable=False)
    recheck("deadline", "ck_deadline_kind", one_of("kind", "OVERALL"), one_of("kind", CLOCKS))
    op.drop_constraint(op.f("uq_deadline_complaint_id_round_kind"), "deadline", type_="unique")
    op.create_unique_constraint(
        op.f("uq_deadline_complaint_id_round_kind_no"), "deadline", ["complaint_id", "round", "kind", "no"]
    )


FIRST_ROUND = """
INSERT INTO "round" (complaint_id, no, why, reason, opened_at, opened_by_id, io_id, disposed_at,
                     disposed_by_id, disposition_id, disposal_text, satisfied, closed_at)
SELECT c.id, 1, 'FIRST', '', c.registered_at, c.registered_by_id, c.io_id,
       CASE WHEN c.is_open THEN NULL ELSE COALESCE(d.met_at, c.due_at) END,
       c.disposed_by_id, c.disposition_id, c.disposal_text, c.satisfied,
       COALESCE((SELECT MAX(f.at) FROM feedback f WHERE f.complaint_id = c.id),
                CASE WHEN c.status = 'CLOSED' THEN COALESCE(d.met_at, c.registered_at) END)
FROM complaint c LEFT JOIN deadline d ON d.complaint_id = c.id AND d.kind = 'OVERALL'
"""
NEVER_MET = """
UPDATE deadline SET dropped_at = (SELECT c.registered_at FROM complaint c WHERE c.id = deadline.complaint_id)
WHERE met_at IS NULL AND EXISTS (SELECT 1 FROM complaint c WHERE c.id = deadline.complaint_id AND NOT c.is_open)
"""
"""Closed in an old register that does not say when: no clock of it runs."""
STAYS = """
INSERT INTO stay (complaint_id, no, round, desk, unit_id, officer_id, from_at, to_at)
SELECT s.complaint_id, s.no, 1, s.desk, s.unit_id, s.officer_id, s.at,
       COALESCE(s.next_at, CASE WHEN s.kind = 'FEEDBACK' OR s.status = 'CLOSED' THEN s.at END)
FROM (
  SELECT t.*, ROW_NUMBER() OVER (PARTITION BY t.complaint_id ORDER BY t.at, t.id) AS no,
         LEAD(t.at) OVER (PARTITION BY t.complaint_id ORDER BY t.at, t.id) AS next_at
  FROM (
    SELECT a.complaint_id, a.id, a.kind, c.status,
           CASE WHEN a.logged_at < c.registered_at THEN c.registered_at ELSE a.logged_at END AS at,
           CASE a.kind WHEN 'REGISTERED' THEN 'BRANCH' WHEN 'MARKED' THEN 'HEAD' WHEN 'ASSIGNED' THEN 'IO'
                       WHEN 'DISPOSED' THEN 'DELIVERY' ELSE 'FEEDBACK' END AS desk,
           CASE a.kind WHEN 'REGISTERED' THEN c.registered_unit_id ELSE c.unit_id END AS unit_id,
           CASE a.kind WHEN 'ASSIGNED' THEN c.io_id END AS officer_id
    FROM action a JOIN complaint c ON c.id = a.complaint_id
    WHERE a.kind IN ('REGISTERED','MARKED','ASSIGNED','DISPOSED','FEEDBACK')
       OR (a.kind = 'DELIVERED' AND a.note LIKE 'REPORT%')
    UNION ALL
    SELECT c.id, 0, 'REGISTERED', c.status, c.registered_at,
           CASE WHEN c.status = 'REGISTERED' THEN 'BRANCH' WHEN c.io_id IS NULL THEN 'HEAD' ELSE 'IO' END,
           c.unit_id, CASE WHEN c.status <> 'REGISTERED' THEN c.io_id END
    FROM complaint c
    WHERE NOT EXISTS (SELECT 1 FROM action a WHERE a.complaint_id = c.id AND a.kind = 'REGISTERED')
  ) t
) s
"""
"""The desks of the first parts, told by the diary; an imported complaint begins with its registration."""


def carry_over():
    op.execute(FIRST_ROUND)
    op.execute(NEVER_MET)
    op.execute(STAYS)


def downgrade():
    """Back to one round and one clock: refused by the checks once a later state is in use."""
    op.drop_index("ix_deadline_running", "deadline")
    op.execute("DELETE FROM deadline_change")
    op.execute("DELETE FROM direction")
    op.execute("DELETE FROM deadline WHERE kind <> 'OVERALL' OR round <> 1")
    if lite():
        narrow_rebuilt()
    else:
        narrow_in_place()
    op.drop_index("ix_complaint_transfer_to", "complaint")
    op.drop_index("ix_complaint_awaiting", "complaint")
    for name in reversed(TABLES):
        op.drop_table(name)
    merged = f"{OPEN}), CONSTRAINT ck_complaint_merged CHECK ({MERGED}" if lite() else OPEN
    if not lite():
        op.drop_constraint(op.f("ck_complaint_merged"), "complaint", type_="check")
    recheck_complaint(OLD_STATUSES, STATUSES, merged, OLD_OPEN)
    recheck("document", "ck_document_kind", one_of("kind", PAPERS), one_of("kind", "COPY REPORT"))
    recheck("action", "ck_action_kind", one_of("kind", ACTIONS), one_of("kind", OLD_ACTIONS))
    drop_columns("posting", "charge", "order_no")
    drop_columns("complaint", "merged_into_id", "transfer_to_id")
    drop_columns("action", "corrects_id")
    drop_columns("accused", "dropped_at")


def narrow_rebuilt():
    """SQLite: a CHECK over a column goes only with the table."""
    op.create_table(
        "deadline_old",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("complaint_id", KEY, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("met_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(one_of("kind", "OVERALL"), name=op.f("ck_deadline_kind")),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_deadline_complaint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint("complaint_id", "round", "kind", name=op.f("uq_deadline_complaint_id_round_kind")),
    )
    op.execute(
        "INSERT INTO deadline_old (id, complaint_id, round, kind, started_on, days, due_at, met_at) "
        "SELECT id, complaint_id, round, kind, started_on, days, due_at, met_at FROM deadline"
    )
    op.drop_table("deadline")
    op.rename_table("deadline_old", "deadline")


def narrow_in_place():
    """PostgreSQL: columns go with their checks."""
    op.drop_constraint("uq_deadline_complaint_id_round_kind_no", "deadline", type_="unique")
    op.drop_constraint(op.f("ck_deadline_kind"), "deadline", type_="check")
    for name in ("no", "started_at", "statutory", "rolled", "first_due_at", "dropped_at", "span"):
        op.drop_column("deadline", name)
    op.create_unique_constraint(
        op.f("uq_deadline_complaint_id_round_kind"), "deadline", ["complaint_id", "round", "kind"]
    )
    op.create_check_constraint(op.f("ck_deadline_kind"), "deadline", one_of("kind", "OVERALL"))


def drop_columns(table, *names):
    for name in names:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def make_tables():
    op.create_table('hold_reason',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', CODE, nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hold_reason')),
    sa.UniqueConstraint('code', name=op.f('uq_hold_reason_code'))
    )
    op.create_table('quick_text',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('kind', choice('kind', ACTIONS), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', CODE, nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quick_text')),
    sa.UniqueConstraint('code', name=op.f('uq_quick_text_code'))
    )
    op.create_table('approval_rule',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('disposition_id', KEY, nullable=True),
    sa.Column('category_id', KEY, nullable=True),
    sa.Column('mode_id', KEY, nullable=True),
    sa.Column('post', choice('post', POSTS), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("post IN ('SHO','DSP','SP','ADGP')", name=op.f('ck_approval_rule_command')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_approval_rule_category_id')),
    sa.ForeignKeyConstraint(['disposition_id'], ['disposition.id'], name=op.f('fk_approval_rule_disposition_id')),
    sa.ForeignKeyConstraint(['mode_id'], ['mode.id'], name=op.f('fk_approval_rule_mode_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval_rule'))
    )
    op.create_table('disposition_field',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('disposition_id', KEY, nullable=False),
    sa.Column('kind', choice('kind', 'TEXT LONG DATE'), nullable=False),
    sa.Column('required', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', CODE, nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['disposition_id'], ['disposition.id'], name=op.f('fk_disposition_field_disposition_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_disposition_field')),
    sa.UniqueConstraint('code', name=op.f('uq_disposition_field_code'))
    )
    op.create_table('holiday',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('district_id', KEY, nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['district_id'], ['unit.id'], name=op.f('fk_holiday_district_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holiday')),
    sa.UniqueConstraint('day', 'district_id', name=op.f('uq_holiday_day_district_id'))
    )
    op.create_index('ix_holiday_day_id', 'holiday', ['day', 'id'])
    op.create_table('policy',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('kind', choice('kind', CLOCKS), nullable=False),
    sa.Column('mode_id', KEY, nullable=True),
    sa.Column('category_id', KEY, nullable=True),
    sa.Column('priority', choice('priority', 'ROUTINE URGENT'), nullable=True),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.Column('span', choice('span', 'DAYS WORKING_DAYS HOURS'), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('authority', sa.String(length=120), server_default='', nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount BETWEEN 1 AND 999', name=op.f('ck_policy_amount')),
    sa.CheckConstraint('valid_to IS NULL OR valid_to > valid_from', name=op.f('ck_policy_dates')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_policy_category_id')),
    sa.ForeignKeyConstraint(['mode_id'], ['mode.id'], name=op.f('fk_policy_mode_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy'))
    )
    op.create_index('ix_policy_kind', 'policy', ['kind', 'valid_from'])
    op.create_table('proposal',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('kind', choice('kind', 'ORDER ACCOUNT_NEW ACCOUNT_STATE'), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('order_no', sa.String(length=60), server_default='', nullable=False),
    sa.Column('unit_id', KEY, nullable=True),
    sa.Column('proposed_by_id', KEY, nullable=False),
    sa.Column('proposed_at', sa.DateTime(), nullable=False),
    sa.Column('decided_by_id', KEY, nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('accepted', sa.Boolean(), nullable=True),
    sa.Column('note', sa.String(length=300), server_default='', nullable=False),
    sa.Column('outcome', sa.JSON(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('(decided_at IS NULL) = (accepted IS NULL)', name=op.f('ck_proposal_decided')),
    sa.CheckConstraint('decided_by_id IS NULL OR decided_by_id <> proposed_by_id', name=op.f('ck_proposal_two_persons')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['user_account.id'], name=op.f('fk_proposal_decided_by_id')),
    sa.ForeignKeyConstraint(['proposed_by_id'], ['user_account.id'], name=op.f('fk_proposal_proposed_by_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_proposal_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proposal'))
    )
    op.create_index('ix_proposal_open', 'proposal', ['id'], postgresql_where=sa.text('decided_at IS NULL'), sqlite_where=sa.text('decided_at IS NULL'))
    op.create_table('complaint_link',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('other_id', KEY, nullable=False),
    sa.Column('kind', choice('kind', 'SAME REPEAT CROSS MERGED'), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('user_id', KEY, nullable=True),
    sa.CheckConstraint('complaint_id <> other_id', name=op.f('ck_complaint_link_two')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_complaint_link_complaint_id')),
    sa.ForeignKeyConstraint(['other_id'], ['complaint.id'], name=op.f('fk_complaint_link_other_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_complaint_link_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaint_link')),
    sa.UniqueConstraint('complaint_id', 'other_id', 'kind', name=op.f('uq_complaint_link_complaint_id_other_id_kind'))
    )
    op.create_index('ix_complaint_link_other', 'complaint_link', ['other_id'])
    op.create_table('enquiry_report',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('officer_id', KEY, nullable=False),
    sa.Column('submitted_at', sa.DateTime(), nullable=False),
    sa.Column('disposition_id', KEY, nullable=False),
    sa.Column('reasons', sa.Text(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_enquiry_report_complaint_id')),
    sa.ForeignKeyConstraint(['disposition_id'], ['disposition.id'], name=op.f('fk_enquiry_report_disposition_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_enquiry_report_officer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_enquiry_report')),
    sa.UniqueConstraint('complaint_id', 'round', 'no', name=op.f('uq_enquiry_report_complaint_id_round_no')),
    sa.UniqueConstraint('id', 'officer_id', name='uq_enquiry_report_author')
    )
    op.create_table('request',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('kind', choice('kind', 'HOLD EXTENSION TRANSFER'), nullable=False),
    sa.Column('asked_at', sa.DateTime(), nullable=False),
    sa.Column('asked_by_id', KEY, nullable=True),
    sa.Column('reason_id', KEY, nullable=True),
    sa.Column('reasons', sa.Text(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('to_unit_id', KEY, nullable=True),
    sa.Column('from_unit_id', KEY, nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('decided_by_id', KEY, nullable=True),
    sa.Column('granted', sa.Boolean(), nullable=True),
    sa.Column('answer', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("kind <> 'HOLD' OR reason_id IS NOT NULL", name=op.f('ck_request_reason')),
    sa.CheckConstraint("kind <> 'TRANSFER' OR to_unit_id IS NOT NULL", name=op.f('ck_request_where_to')),
    sa.CheckConstraint('(decided_at IS NULL) = (granted IS NULL)', name=op.f('ck_request_decided')),
    sa.CheckConstraint('decided_by_id IS NULL OR decided_by_id <> asked_by_id', name=op.f('ck_request_two_persons')),
    sa.ForeignKeyConstraint(['asked_by_id'], ['officer.id'], name=op.f('fk_request_asked_by_id')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_request_complaint_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['officer.id'], name=op.f('fk_request_decided_by_id')),
    sa.ForeignKeyConstraint(['from_unit_id'], ['unit.id'], name=op.f('fk_request_from_unit_id')),
    sa.ForeignKeyConstraint(['reason_id'], ['hold_reason.id'], name=op.f('fk_request_reason_id')),
    sa.ForeignKeyConstraint(['to_unit_id'], ['unit.id'], name=op.f('fk_request_to_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request'))
    )
    op.create_index('ix_request_complaint', 'request', ['complaint_id', 'id'])
    op.create_index('uq_request_open', 'request', ['complaint_id', 'kind'], unique=True, postgresql_where=sa.text('decided_at IS NULL'), sqlite_where=sa.text('decided_at IS NULL'))
    op.create_table('round',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('why', choice('why', 'FIRST REOPENED APPEAL'), nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('chosen', sa.JSON(), nullable=True),
    sa.Column('opened_at', sa.DateTime(), nullable=False),
    sa.Column('opened_by_id', KEY, nullable=True),
    sa.Column('io_id', KEY, nullable=True),
    sa.Column('disposed_at', sa.DateTime(), nullable=True),
    sa.Column('disposed_by_id', KEY, nullable=True),
    sa.Column('disposition_id', KEY, nullable=True),
    sa.Column('disposal_text', sa.Text(), nullable=True),
    sa.Column('satisfied', sa.Boolean(), nullable=True),
    sa.Column('closed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_round_complaint_id')),
    sa.ForeignKeyConstraint(['disposed_by_id'], ['officer.id'], name=op.f('fk_round_disposed_by_id')),
    sa.ForeignKeyConstraint(['disposition_id'], ['disposition.id'], name=op.f('fk_round_disposition_id')),
    sa.ForeignKeyConstraint(['io_id'], ['officer.id'], name=op.f('fk_round_io_id')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['user_account.id'], name=op.f('fk_round_opened_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_round')),
    sa.UniqueConstraint('complaint_id', 'no', name=op.f('uq_round_complaint_id_no'))
    )
    op.create_table('seen',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('user_id', KEY, nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('post', sa.String(length=20), server_default='', nullable=False),
    sa.Column('unit_id', KEY, nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_seen_complaint_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_seen_unit_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_seen_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_seen')),
    sa.UniqueConstraint('complaint_id', 'user_id', 'hour', name=op.f('uq_seen_complaint_id_user_id_hour'))
    )
    op.create_index('ix_seen_user', 'seen', ['user_id', 'id'])
    op.create_table('stay',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('desk', choice('desk', 'BRANCH HEAD IO APPROVER RECEIVER DELIVERY FEEDBACK AUTHORITY'), nullable=False),
    sa.Column('unit_id', KEY, nullable=False),
    sa.Column('officer_id', KEY, nullable=True),
    sa.Column('from_at', sa.DateTime(), nullable=False),
    sa.Column('to_at', sa.DateTime(), nullable=True),
    sa.CheckConstraint('to_at IS NULL OR to_at >= from_at', name=op.f('ck_stay_times')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_stay_complaint_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_stay_officer_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_stay_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stay')),
    sa.UniqueConstraint('complaint_id', 'no', name=op.f('uq_stay_complaint_id_no'))
    )
    op.create_index('ix_stay_now', 'stay', ['unit_id', 'desk', 'complaint_id'], postgresql_where=sa.text('to_at IS NULL'), sqlite_where=sa.text('to_at IS NULL'))
    op.create_index('uq_stay_open', 'stay', ['complaint_id'], unique=True, postgresql_where=sa.text('to_at IS NULL'), sqlite_where=sa.text('to_at IS NULL'))
    op.create_table('attachment',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('action_id', KEY, nullable=True),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('media_type', sa.String(length=60), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('public_sha256', sa.String(length=64), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('user_id', KEY, nullable=True),
    sa.CheckConstraint('size > 0', name=op.f('ck_attachment_size')),
    sa.ForeignKeyConstraint(['action_id'], ['action.id'], name=op.f('fk_attachment_action_id')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_attachment_complaint_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_attachment_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachment')),
    sa.UniqueConstraint('complaint_id', 'sha256', name=op.f('uq_attachment_complaint_id_sha256'))
    )
    op.create_table('deadline_change',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('deadline_id', KEY, nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('old_due_at', sa.DateTime(), nullable=False),
    sa.Column('new_due_at', sa.DateTime(), nullable=False),
    sa.Column('request_id', KEY, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('user_id', KEY, nullable=True),
    sa.CheckConstraint('old_due_at <> new_due_at', name=op.f('ck_deadline_change_moved')),
    sa.ForeignKeyConstraint(['deadline_id'], ['deadline.id'], name=op.f('fk_deadline_change_deadline_id')),
    sa.ForeignKeyConstraint(['request_id'], ['request.id'], name=op.f('fk_deadline_change_request_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_deadline_change_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadline_change')),
    sa.UniqueConstraint('deadline_id', 'no', name=op.f('uq_deadline_change_deadline_id_no'))
    )
    op.create_table('decision',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('report_id', KEY, nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('kind', choice('kind', 'RETURNED FORWARDED APPROVED'), nullable=False),
    sa.Column('author_id', KEY, nullable=False),
    sa.Column('officer_id', KEY, nullable=False),
    sa.Column('post', choice('post', POSTS), nullable=False),
    sa.Column('unit_id', KEY, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('text', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("kind <> 'RETURNED' OR text <> ''", name=op.f('ck_decision_objections')),
    sa.CheckConstraint('officer_id <> author_id', name=op.f('ck_decision_four_eyes')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_decision_officer_id')),
    sa.ForeignKeyConstraint(['report_id', 'author_id'], ['enquiry_report.id', 'enquiry_report.officer_id'], name='fk_decision_author'),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_decision_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decision')),
    sa.UniqueConstraint('report_id', 'no', name=op.f('uq_decision_report_id_no'))
    )
    op.create_table('direction',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('deadline_id', KEY, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('by_id', KEY, nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('replied_at', sa.DateTime(), nullable=True),
    sa.Column('replied_by_id', KEY, nullable=True),
    sa.Column('reply', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['officer.id'], name=op.f('fk_direction_by_id')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_direction_complaint_id')),
    sa.ForeignKeyConstraint(['deadline_id'], ['deadline.id'], name=op.f('fk_direction_deadline_id')),
    sa.ForeignKeyConstraint(['replied_by_id'], ['officer.id'], name=op.f('fk_direction_replied_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_direction'))
    )
    op.create_index('ix_direction_complaint', 'direction', ['complaint_id'])
    op.create_table('hold',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('request_id', KEY, nullable=False),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.CheckConstraint('ended_at IS NULL OR ended_at >= started_at', name=op.f('ck_hold_times')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_hold_complaint_id')),
    sa.ForeignKeyConstraint(['request_id'], ['request.id'], name=op.f('fk_hold_request_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hold')),
    sa.UniqueConstraint('request_id', name=op.f('uq_hold_request_id'))
    )
    op.create_index('uq_hold_open', 'hold', ['complaint_id'], unique=True, postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'))
    op.create_table('consent',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('kind', choice('kind', 'COMPROMISE WITHDRAWAL REOPENING APPEAL'), nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('means', choice('means', 'PAPER LINK'), nullable=False),
    sa.Column('given_on', sa.Date(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('officer_id', KEY, nullable=True),
    sa.Column('user_id', KEY, nullable=True),
    sa.Column('attachment_id', KEY, nullable=True),
    sa.Column('note', sa.String(length=300), server_default='', nullable=False),
    sa.CheckConstraint("means <> 'PAPER' OR note <> '' OR attachment_id IS NOT NULL", name=op.f('ck_consent_proof')),
    sa.ForeignKeyConstraint(['attachment_id'], ['attachment.id'], name=op.f('fk_consent_attachment_id')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_consent_complaint_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_consent_officer_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_consent_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent')),
    sa.UniqueConstraint('complaint_id', 'round', 'kind', 'no', name=op.f('uq_consent_complaint_id_round_kind_no'))
    )
    op.create_table('report_finding',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('report_id', KEY, nullable=False),
    sa.Column('allegation_id', KEY, nullable=False),
    sa.Column('finding', choice('finding', 'SUBSTANTIATED PARTLY NOT_SUBSTANTIATED EXONERATED UNDECIDED'), nullable=False),
    sa.Column('reasons', sa.Text(), nullable=False),
    sa.CheckConstraint("reasons <> '' AND finding <> 'UNDECIDED'", name=op.f('ck_report_finding_reasons')),
    sa.ForeignKeyConstraint(['allegation_id'], ['allegation.id'], name=op.f('fk_report_finding_allegation_id')),
    sa.ForeignKeyConstraint(['report_id'], ['enquiry_report.id'], name=op.f('fk_report_finding_report_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_finding')),
    sa.UniqueConstraint('report_id', 'allegation_id', name=op.f('uq_report_finding_report_id_allegation_id'))
    )
    op.create_table('appeal',
    sa.Column('id', KEY, autoincrement=True, nullable=False),
    sa.Column('complaint_id', KEY, nullable=False),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('consent_id', KEY, nullable=False),
    sa.Column('entered_at', sa.DateTime(), nullable=False),
    sa.Column('grounds', sa.Text(), nullable=False),
    sa.Column('unit_id', KEY, nullable=False),
    sa.Column('post', choice('post', POSTS), nullable=False),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('decided_by_id', KEY, nullable=True),
    sa.Column('result', choice('result', 'DISMISSED ALLOWED'), nullable=True),
    sa.Column('reasons', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_appeal_complaint_id')),
    sa.ForeignKeyConstraint(['consent_id'], ['consent.id'], name=op.f('fk_appeal_consent_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['officer.id'], name=op.f('fk_appeal_decided_by_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_appeal_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeal')),
    sa.UniqueConstraint('complaint_id', 'no', name=op.f('uq_appeal_complaint_id_no'))
    )
    op.create_table('submission',
    sa.Column('form_key', sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql"), nullable=False),
    sa.Column('user_id', KEY, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_submission_user_id')),
    sa.PrimaryKeyConstraint('form_key', 'user_id', name=op.f('pk_submission'))
    )
