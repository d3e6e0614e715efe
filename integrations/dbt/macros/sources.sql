{#
  The functions of the models that depend on the tables of the warehouse. `packages/analytics` resolves
  the same functions for the models that Freshet installs.
#}

{#- Returns the source of a table in models/sources.yml. -#}
{% macro freshet_relation(table) %}
  {%- if table.startswith('_freshet_') -%}
    {%- set relation = source('freshet', table) -%}
  {%- elif table in ['business_holidays', 'ticket_status_settings'] -%}
    {%- set relation = source('freshet_settings', table) -%}
  {%- else -%}
    {%- set relation = source('freshdesk', table) -%}
  {%- endif -%}
  {{ return(relation) }}
{% endmacro %}

{#-
  Returns the columns of a table in the warehouse, each with its type and the field that the loader
  names in the comment of the column. A table that does not exist has no columns.
-#}
{% macro freshet_columns(table) %}
  {%- set relation = freshet_relation(table).include(database=false) | string -%}
  {%- call statement('freshet_columns', fetch_result=true, auto_begin=false) -%}
    select
      a.attname::text,
      replace(format_type(a.atttypid, null), 'timestamp with time zone', 'timestamptz'),
      ('"' || substring(col_description(a.attrelid, a.attnum) from '\{"path":\["((?:[^"\\]|\\.)*)"\]\}$') || '"')::jsonb #>> '{}'
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.oid = to_regclass({{ freshet_literal(relation) }}) and c.relkind in ('r', 'p', 'v', 'm', 'f')
    order by a.attnum
  {%- endcall -%}
  {%- set columns = [] -%}
  {%- for row in load_result('freshet_columns')['data'] -%}
    {%- do columns.append({'name': row[0], 'type': row[1], 'field': row[2]}) -%}
  {%- endfor -%}
  {{ return(columns) }}
{% endmacro %}

{% macro freshet_custom_fields(columns) %}
  {%- set names = [] -%}
  {%- for column in columns if column.name.startswith('cf_') -%}
    {%- do names.append(column.name) -%}
  {%- endfor -%}
  {{ return(names) }}
{% endmacro %}

{#- Returns an expression for a declared column, or null of its type if the column cannot be used. -#}
{% macro freshet_column_expression(columns, name, type) %}
  {%- set safe_casts = {
    'bigint': ['smallint', 'integer'],
    'numeric': ['smallint', 'integer', 'bigint'],
    'timestamptz': ['date'],
    'jsonb': ['json'],
  } -%}
  {%- set named = columns | selectattr('name', 'equalto', name) | list -%}
  {%- set column = (named or columns | selectattr('field', 'equalto', name) | list) | first -%}
  {%- if not column or not (column.type == type or type == 'text' or column.type in safe_casts.get(type, [])) -%}
    {{ return('null::' ~ type ~ ' as ' ~ freshet_quote(name)) }}
  {%- elif column.type == 'date' and type == 'timestamptz' -%}
    {{ return('(' ~ freshet_quote(column.name) ~ "::timestamp at time zone 'UTC') as " ~ freshet_quote(name)) }}
  {%- else -%}
    {{ return(freshet_quote(column.name) ~ '::' ~ type ~ ' as ' ~ freshet_quote(name)) }}
  {%- endif -%}
{% endmacro %}

{#-
  Returns a relation with all declared columns of a table and its custom fields. Columns that do not
  exist are null, and a table that does not exist has no rows.
-#}
{% macro source_table(table) %}
  {%- set relation = freshet_relation(table) -%}
  {%- if not execute -%}{{ return(relation) }}{%- endif -%}
  {%- set declared = (
    graph.sources.values() | selectattr('package_name', 'equalto', 'freshet') | selectattr('name', 'equalto', table) | first
  ).columns.values() -%}
  {%- set columns = freshet_columns(table) -%}
  {%- set expressions = [] -%}
  {%- for column in declared -%}
    {%- do expressions.append(freshet_column_expression(columns, column.name, column.data_type)) -%}
  {%- endfor -%}
  {%- set declared_names = declared | map(attribute='name') | list -%}
  {%- for name in freshet_custom_fields(columns) if name not in declared_names -%}
    {%- do expressions.append(freshet_quote(name)) -%}
  {%- endfor -%}
  {{ return('(select ' ~ expressions | join(', ') ~ (' from ' ~ relation if columns else ' where false') ~ ')') }}
{% endmacro %}

{#- Returns `true` or `false`: whether a table exists. -#}
{% macro source_exists(table) %}
  {%- set relation = freshet_relation(table) -%}
  {{ return('true' if not execute or freshet_columns(table) else 'false') }}
{% endmacro %}

{#- Returns the custom fields of a table as further columns of a select list. -#}
{% macro custom_field_columns(table, alias) %}
  {%- set relation = freshet_relation(table) -%}
  {%- if not execute -%}{{ return('') }}{%- endif -%}
  {%- set expressions = [] -%}
  {%- for name in freshet_custom_fields(freshet_columns(table)) -%}
    {%- do expressions.append(', ' ~ alias ~ '.' ~ freshet_quote(name) ~ ' as ' ~ freshet_quote(name)) -%}
  {%- endfor -%}
  {{ return(expressions | join('')) }}
{% endmacro %}

{#- Quotes an SQL identifier. -#}
{% macro freshet_quote(name) %}
  {{ return('"' ~ name | replace('"', '""') ~ '"') }}
{% endmacro %}

{#- Quotes a string as an SQL literal. -#}
{% macro freshet_literal(text) %}
  {%- set quoted = "'" ~ text | replace("'", "''") ~ "'" -%}
  {{ return(" E" ~ quoted | replace('\\', '\\\\') if '\\' in text else quoted) }}
{% endmacro %}

{#-
  Returns a variable as an SQL literal. The models use the short name, so this macro replaces dbt's
  `var` in this package: `var('time_zone')` is the variable freshet_time_zone.
-#}
{% macro var(name) %}
  {%- set value = builtins.var('freshet_' ~ name, none) -%}
  {{ return('null' if value is none else freshet_literal(value)) }}
{% endmacro %}
