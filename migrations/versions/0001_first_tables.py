"""The first tables: places, people, master rows, complaints, messages, bookkeeping.

Revision: 0001, after None
"""

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('category',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_category')),
    sa.UniqueConstraint('code', name=op.f('uq_category_code'))
    )
    op.create_table('chain',
    sa.Column('name', sa.String(length=40).with_variant(sa.String(length=40, collation='C'), 'postgresql'), nullable=False),
    sa.Column('history_seq', sa.Integer(), nullable=False),
    sa.Column('history_head', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_chain'))
    )
    op.create_table('disposition',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('requires', sa.String(length=120), nullable=True),
    sa.Column('requires_hi', sa.String(length=120), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_disposition')),
    sa.UniqueConstraint('code', name=op.f('uq_disposition_code'))
    )
    op.create_table('history',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('root', sa.String(length=40).with_variant(sa.String(length=40, collation='C'), 'postgresql'), nullable=False),
    sa.Column('root_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('via', sa.String(length=20), nullable=False),
    sa.Column('table_name', sa.String(length=40).with_variant(sa.String(length=40, collation='C'), 'postgresql'), nullable=False),
    sa.Column('row_id', sa.String(length=40).with_variant(sa.String(length=40, collation='C'), 'postgresql'), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('changes', sa.Text(), nullable=False),
    sa.Column('prev_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('seal_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_history')),
    sa.UniqueConstraint('root', 'root_id', 'seq', name=op.f('uq_history_root_root_id_seq'))
    )
    with op.batch_alter_table('history', schema=None) as batch_op:
        batch_op.create_index('ix_history_row', ['table_name', 'row_id'], unique=False)
        batch_op.create_index('ix_history_seal', ['seal_id'], unique=False)
        batch_op.create_index('ix_history_unsealed', ['id'], unique=False, postgresql_where=sa.text('seal_id IS NULL'), sqlite_where=sa.text('seal_id IS NULL'))

    op.create_table('mode',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('walk_in', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mode')),
    sa.UniqueConstraint('code', name=op.f('uq_mode_code'))
    )
    op.create_table('rank',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('short_en', sa.String(length=12), nullable=False),
    sa.Column('short_hi', sa.String(length=16), nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rank')),
    sa.UniqueConstraint('code', name=op.f('uq_rank_code')),
    sa.UniqueConstraint('level', name=op.f('uq_rank_level'))
    )
    op.create_table('seal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('prev_mac', sa.String(length=64), nullable=False),
    sa.Column('mac', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_seal'))
    )
    op.create_table('source',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_source')),
    sa.UniqueConstraint('code', name=op.f('uq_source_code'))
    )
    op.create_table('stamp',
    sa.Column('name', sa.String(length=40).with_variant(sa.String(length=40, collation='C'), 'postgresql'), nullable=False),
    sa.Column('value', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_stamp'))
    )
    op.create_table('unit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.Enum('HEADQUARTERS', 'RANGE', 'DISTRICT', 'SUB_DIVISION', 'POLICE_STATION', 'POLICE_POST', 'COMPLAINT_BRANCH', name='kind', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('parent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('path', sa.String(length=200).with_variant(sa.String(length=200, collation='C'), 'postgresql'), nullable=False),
    sa.Column('district_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('aliases', sa.Text(), server_default='', nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=True),
    sa.Column('letterhead_hi', sa.String(length=200), nullable=True),
    sa.Column('letterhead_en', sa.String(length=200), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('code', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_en', sa.String(length=120), nullable=False),
    sa.Column('name_hi', sa.String(length=120), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['district_id'], ['unit.id'], name=op.f('fk_unit_district_id')),
    sa.ForeignKeyConstraint(['parent_id'], ['unit.id'], name=op.f('fk_unit_parent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit')),
    sa.UniqueConstraint('code', name=op.f('uq_unit_code')),
    sa.UniqueConstraint('path', name=op.f('uq_unit_path'))
    )
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.create_index('ix_unit_code_id', ['code', 'id'], unique=False)
        batch_op.create_index('ix_unit_parent_id', ['parent_id'], unique=False)
        batch_op.create_index('ix_unit_path_id', ['path', 'id'], unique=False)

    op.create_table('number_series',
    sa.Column('district_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['district_id'], ['unit.id'], name=op.f('fk_number_series_district_id')),
    sa.PrimaryKeyConstraint('district_id', 'year', name=op.f('pk_number_series'))
    )
    op.create_table('officer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('name_en', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=False),
    sa.Column('name_hi', sa.String(length=80), nullable=False),
    sa.Column('rank_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('belt_no', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=True),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('phone', sa.String(length=20), nullable=True),
    sa.Column('email', sa.String(length=120), nullable=True),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('origin', sa.String(length=40), nullable=True),
    sa.Column('origin_key', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['rank_id'], ['rank.id'], name=op.f('fk_officer_rank_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_officer_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_officer')),
    sa.UniqueConstraint('origin', 'origin_key', name=op.f('uq_officer_origin_origin_key'))
    )
    with op.batch_alter_table('officer', schema=None) as batch_op:
        batch_op.create_index('ix_officer_belt_no_id', ['belt_no', 'id'], unique=False)
        batch_op.create_index('ix_officer_name_en_id', ['name_en', 'id'], unique=False)
        batch_op.create_index('ix_officer_rank_id', ['rank_id'], unique=False)
        batch_op.create_index('ix_officer_unit_id_id', ['unit_id', 'id'], unique=False)

    op.create_table('unit_parent',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('parent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.CheckConstraint('valid_to IS NULL OR valid_to > valid_from', name=op.f('ck_unit_parent_dates')),
    sa.ForeignKeyConstraint(['parent_id'], ['unit.id'], name=op.f('fk_unit_parent_parent_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_unit_parent_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_parent')),
    sa.UniqueConstraint('unit_id', 'valid_from', name=op.f('uq_unit_parent_unit_id_valid_from'))
    )
    op.create_table('posting',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('post', sa.Enum('IO', 'SHO', 'DSP', 'SP', 'ADGP', 'BRANCH', 'FEEDBACK', 'AUDIT', name='post', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('valid_to IS NULL OR valid_to > valid_from', name=op.f('ck_posting_dates')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_posting_officer_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_posting_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_posting')),
    sa.UniqueConstraint('officer_id', 'unit_id', 'post', 'valid_from', name=op.f('uq_posting_officer_id_unit_id_post_valid_from'))
    )
    with op.batch_alter_table('posting', schema=None) as batch_op:
        batch_op.create_index('ix_posting_officer', ['officer_id'], unique=False)
        batch_op.create_index('ix_posting_unit_post', ['unit_id', 'post'], unique=False)

    op.create_table('user_account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('login', sa.String(length=60).with_variant(sa.String(length=60, collation='C'), 'postgresql'), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('role', sa.Enum('OFFICER', 'ADMIN', name='role', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('language', sa.String(length=2), server_default='hi', nullable=False),
    sa.Column('active', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(role = 'ADMIN') = (officer_id IS NULL)", name=op.f('ck_user_account_role_officer')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_user_account_officer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_user_account')),
    sa.UniqueConstraint('login', name=op.f('uq_user_account_login')),
    sa.UniqueConstraint('officer_id', name=op.f('uq_user_account_officer_id'))
    )
    op.create_table('complaint',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('number', sa.String(length=24).with_variant(sa.String(length=24, collation='C'), 'postgresql'), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('language', sa.Enum('HI', 'EN', name='language', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('category_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('priority', sa.Enum('ROUTINE', 'URGENT', name='priority', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('mode_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('place', sa.String(length=160), nullable=True),
    sa.Column('incident_on', sa.Date(), nullable=True),
    sa.Column('district_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('registered_unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('io_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('status', sa.Enum('REGISTERED', 'MARKED', 'ASSIGNED', 'UNDER_ENQUIRY', 'DISPOSED', 'REPORT_DELIVERED', 'CLOSED', name='status', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(), nullable=False),
    sa.Column('received_on', sa.Date(), nullable=False),
    sa.Column('registered_at', sa.DateTime(), nullable=False),
    sa.Column('disposed_on', sa.Date(), nullable=True),
    sa.Column('disposition_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('disposal_text', sa.Text(), nullable=True),
    sa.Column('disposed_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('satisfied', sa.Boolean(), nullable=True),
    sa.Column('restricted', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('copy_settled_at', sa.DateTime(), nullable=True),
    sa.Column('registered_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('form_key', sa.String(length=64), nullable=True),
    sa.Column('origin', sa.String(length=40), nullable=True),
    sa.Column('origin_key', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=True),
    sa.Column('history_seq', sa.Integer(), server_default='0', nullable=False),
    sa.Column('history_head', sa.String(length=64), server_default='', nullable=False),
    sa.Column('history_key', sa.LargeBinary(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("is_open = (status IN ('REGISTERED','MARKED','ASSIGNED','UNDER_ENQUIRY'))", name=op.f('ck_complaint_open')),
    sa.CheckConstraint('disposed_by_id IS NULL OR disposed_by_id <> io_id', name=op.f('ck_complaint_four_eyes')),
    sa.CheckConstraint('is_open OR disposed_on IS NOT NULL OR origin IS NOT NULL', name=op.f('ck_complaint_disposed')),
    sa.CheckConstraint('origin IS NOT NULL OR category_id IS NOT NULL', name=op.f('ck_complaint_category')),
    sa.CheckConstraint('origin IS NOT NULL OR text IS NOT NULL', name=op.f('ck_complaint_text')),
    sa.ForeignKeyConstraint(['category_id'], ['category.id'], name=op.f('fk_complaint_category_id')),
    sa.ForeignKeyConstraint(['disposed_by_id'], ['officer.id'], name=op.f('fk_complaint_disposed_by_id')),
    sa.ForeignKeyConstraint(['disposition_id'], ['disposition.id'], name=op.f('fk_complaint_disposition_id')),
    sa.ForeignKeyConstraint(['district_id'], ['unit.id'], name=op.f('fk_complaint_district_id')),
    sa.ForeignKeyConstraint(['io_id'], ['officer.id'], name=op.f('fk_complaint_io_id')),
    sa.ForeignKeyConstraint(['mode_id'], ['mode.id'], name=op.f('fk_complaint_mode_id')),
    sa.ForeignKeyConstraint(['registered_by_id'], ['user_account.id'], name=op.f('fk_complaint_registered_by_id')),
    sa.ForeignKeyConstraint(['registered_unit_id'], ['unit.id'], name=op.f('fk_complaint_registered_unit_id')),
    sa.ForeignKeyConstraint(['source_id'], ['source.id'], name=op.f('fk_complaint_source_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_complaint_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaint')),
    sa.UniqueConstraint('form_key', name=op.f('uq_complaint_form_key')),
    sa.UniqueConstraint('number', name=op.f('uq_complaint_number')),
    sa.UniqueConstraint('origin', 'origin_key', name=op.f('uq_complaint_origin_origin_key'))
    )
    with op.batch_alter_table('complaint', schema=None) as batch_op:
        batch_op.create_index('ix_complaint_copy_unsettled', ['registered_unit_id', 'id'], unique=False, postgresql_where=sa.text('copy_settled_at IS NULL'), sqlite_where=sa.text('copy_settled_at IS NULL'))
        batch_op.create_index('ix_complaint_due', ['due_at', 'id'], unique=False)
        batch_op.create_index('ix_complaint_io_due', ['io_id', 'due_at', 'id'], unique=False, postgresql_where=sa.text('is_open'), sqlite_where=sa.text('is_open'))
        batch_op.create_index('ix_complaint_io_registered', ['io_id', 'registered_at', 'id'], unique=False)
        batch_op.create_index('ix_complaint_number_id', ['number', 'id'], unique=False)
        batch_op.create_index('ix_complaint_open_due', ['due_at', 'id'], unique=False, postgresql_where=sa.text('is_open AND NOT restricted'), sqlite_where=sa.text('is_open AND NOT restricted'))
        batch_op.create_index('ix_complaint_open_unit_due', ['unit_id', 'due_at', 'id'], unique=False, postgresql_where=sa.text('is_open AND NOT restricted'), sqlite_where=sa.text('is_open AND NOT restricted'))
        batch_op.create_index('ix_complaint_registered', ['registered_at', 'id'], unique=False)
        batch_op.create_index('ix_complaint_restricted', ['id'], unique=False, postgresql_where=sa.text('restricted'), sqlite_where=sa.text('restricted'))
        batch_op.create_index('ix_complaint_unit_due', ['unit_id', 'due_at', 'id'], unique=False)
        batch_op.create_index('ix_complaint_unit_number', ['unit_id', 'number', 'id'], unique=False)
        batch_op.create_index('ix_complaint_unit_registered', ['unit_id', 'registered_at', 'id'], unique=False)

    op.create_table('web_session',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('token_hash', sa.String(length=64).with_variant(sa.String(length=64, collation='C'), 'postgresql'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('agent', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_web_session_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_web_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_web_session_token_hash'))
    )
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.create_index('ix_web_session_user', ['user_id'], unique=False)

    op.create_table('accused',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('post', sa.Enum('IO', 'SHO', 'DSP', 'SP', 'ADGP', 'BRANCH', 'FEEDBACK', 'AUDIT', name='post', native_enum=False, create_constraint=True, length=20), nullable=True),
    sa.Column('described', sa.String(length=200), server_default='', nullable=False),
    sa.Column('restricts', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('origin_key', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=True),
    sa.CheckConstraint("officer_id IS NOT NULL OR unit_id IS NOT NULL OR described <> ''", name=op.f('ck_accused_someone')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_accused_complaint_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_accused_officer_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_accused_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accused')),
    sa.UniqueConstraint('complaint_id', 'origin_key', name=op.f('uq_accused_complaint_id_origin_key'))
    )
    with op.batch_alter_table('accused', schema=None) as batch_op:
        batch_op.create_index('ix_accused_complaint', ['complaint_id'], unique=False)
        batch_op.create_index('ix_accused_officer', ['officer_id'], unique=False)

    op.create_table('action',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('REGISTERED', 'MARKED', 'ASSIGNED', 'DISPOSED', 'DELIVERED', 'VISIT', 'STATEMENT', 'CALL', 'NOTICE', 'DOCUMENT', 'DIRECTION', 'OTHER', 'FEEDBACK', 'IMPORTED', name='kind', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('happened_at', sa.DateTime(), nullable=False),
    sa.Column('logged_at', sa.DateTime(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('origin_key', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_action_complaint_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_action_officer_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_action_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_action')),
    sa.UniqueConstraint('complaint_id', 'origin_key', name=op.f('uq_action_complaint_id_origin_key'))
    )
    with op.batch_alter_table('action', schema=None) as batch_op:
        batch_op.create_index('ix_action_complaint', ['complaint_id', 'id'], unique=False)

    op.create_table('assignment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assigned_at', sa.DateTime(), nullable=False),
    sa.Column('assigned_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['assigned_by_id'], ['user_account.id'], name=op.f('fk_assignment_assigned_by_id')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_assignment_complaint_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_assignment_officer_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_assignment_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_complaint', ['complaint_id'], unique=False)
        batch_op.create_index('ix_assignment_officer', ['officer_id', 'complaint_id'], unique=False)

    op.create_table('barred_unit',
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('unit_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_barred_unit_complaint_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_barred_unit_unit_id')),
    sa.PrimaryKeyConstraint('complaint_id', 'unit_id', name=op.f('pk_barred_unit'))
    )
    op.create_table('deadline',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('OVERALL', name='kind', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('started_on', sa.Date(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(), nullable=False),
    sa.Column('met_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_deadline_complaint_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadline')),
    sa.UniqueConstraint('complaint_id', 'round', 'kind', name=op.f('uq_deadline_complaint_id_round_kind'))
    )
    op.create_table('document',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('COPY', 'REPORT', name='kind', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('issued_at', sa.DateTime(), nullable=False),
    sa.Column('issued_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('code', sa.String(length=20).with_variant(sa.String(length=20, collation='C'), 'postgresql'), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('PENDING', 'READY', 'FAILED', 'PAPER', name='state', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=True),
    sa.Column('size', sa.Integer(), nullable=True),
    sa.Column('rendered_at', sa.DateTime(), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.CheckConstraint("state <> 'READY' OR sha256 IS NOT NULL", name=op.f('ck_document_bytes')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_document_complaint_id')),
    sa.ForeignKeyConstraint(['issued_by_id'], ['user_account.id'], name=op.f('fk_document_issued_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_document')),
    sa.UniqueConstraint('code', name=op.f('uq_document_code')),
    sa.UniqueConstraint('complaint_id', 'kind', 'version', name=op.f('uq_document_complaint_id_kind_version'))
    )
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.create_index('ix_document_pending', ['id'], unique=False, postgresql_where=sa.text("state = 'PENDING'"), sqlite_where=sa.text("state = 'PENDING'"))

    op.create_table('feedback',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('satisfied', sa.Boolean(), nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("satisfied OR reason <> ''", name=op.f('ck_feedback_reason')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_feedback_complaint_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_feedback_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feedback')),
    sa.UniqueConstraint('complaint_id', 'round', name=op.f('uq_feedback_complaint_id_round'))
    )
    op.create_table('notice',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('dedupe', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('read_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_notice_complaint_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_notice_officer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice')),
    sa.UniqueConstraint('dedupe', name=op.f('uq_notice_dedupe'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index('ix_notice_unread', ['officer_id', 'id'], unique=False, postgresql_where=sa.text('read_at IS NULL'), sqlite_where=sa.text('read_at IS NULL'))

    op.create_table('party',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('role', sa.Enum('COMPLAINANT', 'OPPOSITE', name='role', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=120).with_variant(sa.String(length=120, collation='C'), 'postgresql'), nullable=False),
    sa.Column('phone', sa.String(length=20).with_variant(sa.String(length=20, collation='C'), 'postgresql'), nullable=True),
    sa.Column('email', sa.String(length=120), nullable=True),
    sa.Column('address', sa.String(length=300), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_party_complaint_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_party')),
    sa.UniqueConstraint('complaint_id', 'role', 'position', name=op.f('uq_party_complaint_id_role_position'))
    )
    with op.batch_alter_table('party', schema=None) as batch_op:
        batch_op.create_index('ix_party_name', ['name', 'complaint_id'], unique=False)
        batch_op.create_index('ix_party_phone', ['phone', 'complaint_id'], unique=False)

    op.create_table('allegation',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('accused_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('no', sa.Integer(), nullable=False),
    sa.Column('what', sa.String(length=300), nullable=False),
    sa.Column('finding', sa.Enum('SUBSTANTIATED', 'PARTLY', 'NOT_SUBSTANTIATED', 'EXONERATED', 'UNDECIDED', name='finding', native_enum=False, create_constraint=True, length=20), nullable=True),
    sa.Column('reasons', sa.Text(), nullable=True),
    sa.Column('outcome', sa.String(length=120), nullable=True),
    sa.Column('origin_key', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['accused_id'], ['accused.id'], name=op.f('fk_allegation_accused_id')),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_allegation_complaint_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_allegation')),
    sa.UniqueConstraint('complaint_id', 'no', name=op.f('uq_allegation_complaint_id_no'))
    )
    op.create_table('delivery',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('document_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel', sa.Enum('PRINT', 'EMAIL', 'POST', 'DECLINED', name='channel', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('address', sa.String(length=160), server_default='', nullable=False),
    sa.Column('note', sa.String(length=300), server_default='', nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("channel <> 'DECLINED' OR note <> ''", name=op.f('ck_delivery_declined_why')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_delivery_document_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_delivery_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_document', ['document_id'], unique=False)

    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('dedupe', sa.String(length=80).with_variant(sa.String(length=80, collation='C'), 'postgresql'), nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('document_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('to', sa.String(length=160), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('state', sa.Enum('PENDING', 'SENT', 'FAILED', name='state', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('next_at', sa.DateTime(), nullable=False),
    sa.Column('sent_at', sa.DateTime(), nullable=True),
    sa.Column('last_error', sa.String(length=300), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_outbox_complaint_id')),
    sa.ForeignKeyConstraint(['document_id'], ['document.id'], name=op.f('fk_outbox_document_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('dedupe', name=op.f('uq_outbox_dedupe'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_pending', ['next_at', 'id'], unique=False, postgresql_where=sa.text("state = 'PENDING'"), sqlite_where=sa.text("state = 'PENDING'"))

    op.create_table('reminder',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('deadline_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('complaint_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('rung', sa.Enum('BEFORE', 'TODAY', 'LATE', name='rung', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('fired_at', sa.DateTime(), nullable=False),
    sa.Column('officer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('post', sa.Enum('IO', 'SHO', 'DSP', 'SP', 'ADGP', 'BRANCH', 'FEEDBACK', 'AUDIT', name='post', native_enum=False, create_constraint=True, length=20), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaint.id'], name=op.f('fk_reminder_complaint_id')),
    sa.ForeignKeyConstraint(['deadline_id'], ['deadline.id'], name=op.f('fk_reminder_deadline_id')),
    sa.ForeignKeyConstraint(['officer_id'], ['officer.id'], name=op.f('fk_reminder_officer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder')),
    sa.UniqueConstraint('deadline_id', 'rung', name=op.f('uq_reminder_deadline_id_rung'))
    )
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.create_index('ix_reminder_complaint', ['complaint_id'], unique=False)



def downgrade():
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.drop_index('ix_reminder_complaint')

    op.drop_table('reminder')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_pending', postgresql_where=sa.text("state = 'PENDING'"), sqlite_where=sa.text("state = 'PENDING'"))

    op.drop_table('outbox')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_document')

    op.drop_table('delivery')
    op.drop_table('allegation')
    with op.batch_alter_table('party', schema=None) as batch_op:
        batch_op.drop_index('ix_party_phone')
        batch_op.drop_index('ix_party_name')

    op.drop_table('party')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index('ix_notice_unread', postgresql_where=sa.text('read_at IS NULL'), sqlite_where=sa.text('read_at IS NULL'))

    op.drop_table('notice')
    op.drop_table('feedback')
    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.drop_index('ix_document_pending', postgresql_where=sa.text("state = 'PENDING'"), sqlite_where=sa.text("state = 'PENDING'"))

    op.drop_table('document')
    op.drop_table('deadline')
    op.drop_table('barred_unit')
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.drop_index('ix_assignment_officer')
        batch_op.drop_index('ix_assignment_complaint')

    op.drop_table('assignment')
    with op.batch_alter_table('action', schema=None) as batch_op:
        batch_op.drop_index('ix_action_complaint')

    op.drop_table('action')
    with op.batch_alter_table('accused', schema=None) as batch_op:
        batch_op.drop_index('ix_accused_officer')
        batch_op.drop_index('ix_accused_complaint')

    op.drop_table('accused')
    with op.batch_alter_table('web_session', schema=None) as batch_op:
        batch_op.drop_index('ix_web_session_user')

    op.drop_table('web_session')
    with op.batch_alter_table('complaint', schema=None) as batch_op:
        batch_op.drop_index('ix_complaint_unit_registered')
        batch_op.drop_index('ix_complaint_unit_number')
        batch_op.drop_index('ix_complaint_unit_due')
        batch_op.drop_index('ix_complaint_restricted', postgresql_where=sa.text('restricted'), sqlite_where=sa.text('restricted'))
        batch_op.drop_index('ix_complaint_registered')
        batch_op.drop_index('ix_complaint_open_unit_due', postgresql_where=sa.text('is_open AND NOT restricted'), sqlite_where=sa.text('is_open AND NOT restricted'))
        batch_op.drop_index('ix_complaint_open_due', postgresql_where=sa.text('is_open AND NOT restricted'), sqlite_where=sa.text('is_open AND NOT restricted'))
        batch_op.drop_index('ix_complaint_number_id')
        batch_op.drop_index('ix_complaint_io_registered')
        batch_op.drop_index('ix_complaint_io_due', postgresql_where=sa.text('is_open'), sqlite_where=sa.text('is_open'))
        batch_op.drop_index('ix_complaint_due')
        batch_op.drop_index('ix_complaint_copy_unsettled', postgresql_where=sa.text('copy_settled_at IS NULL'), sqlite_where=sa.text('copy_settled_at IS NULL'))

    op.drop_table('complaint')
    op.drop_table('user_account')
    with op.batch_alter_table('posting', schema=None) as batch_op:
        batch_op.drop_index('ix_posting_unit_post')
        batch_op.drop_index('ix_posting_officer')

    op.drop_table('posting')
    op.drop_table('unit_parent')
    with op.batch_alter_table('officer', schema=None) as batch_op:
        batch_op.drop_index('ix_officer_unit_id_id')
        batch_op.drop_index('ix_officer_rank_id')
        batch_op.drop_index('ix_officer_name_en_id')
        batch_op.drop_index('ix_officer_belt_no_id')

    op.drop_table('officer')
    op.drop_table('number_series')
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.drop_index('ix_unit_path_id')
        batch_op.drop_index('ix_unit_parent_id')
        batch_op.drop_index('ix_unit_code_id')

    op.drop_table('unit')
    op.drop_table('stamp')
    op.drop_table('source')
    op.drop_table('seal')
    op.drop_table('rank')
    op.drop_table('mode')
    with op.batch_alter_table('history', schema=None) as batch_op:
        batch_op.drop_index('ix_history_unsealed', postgresql_where=sa.text('seal_id IS NULL'), sqlite_where=sa.text('seal_id IS NULL'))
        batch_op.drop_index('ix_history_seal')
        batch_op.drop_index('ix_history_row')

    op.drop_table('history')
    op.drop_table('disposition')
    op.drop_table('chain')
    op.drop_table('category')
