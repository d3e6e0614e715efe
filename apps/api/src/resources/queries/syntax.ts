/**
 * The part of PostgreSQL's syntax that a query may use, as the fields of each node of the syntax
 * tree. A query that contains any other node or field is rejected. A new release of the parser
 * therefore cannot add syntax that is accepted without a decision.
 */

/**
 * The content of a field. `value`: a number, a text that needs no check, or a flag. `node`: a node
 * with its type. `nodes`: a list of nodes. A colon and a type: a node of this type, without its
 * type. `checked`: the validator checks the field.
 */
export type Field = 'value' | 'node' | 'nodes' | 'checked' | `:${string}`;

type Fields = Readonly<Record<string, Field>>;

const JSON_OUTPUT = { output: ':JsonOutput' } as const;

export const ALLOWED_NODES: Readonly<Record<string, Fields>> = {
  // The fields `intoClause` (SELECT INTO) and `lockingClause` (FOR UPDATE) are missing.
  SelectStmt: {
    distinctClause: 'nodes',
    targetList: 'nodes',
    fromClause: 'nodes',
    whereClause: 'node',
    groupClause: 'nodes',
    groupDistinct: 'value',
    havingClause: 'node',
    windowClause: 'nodes',
    valuesLists: 'nodes',
    sortClause: 'nodes',
    limitOffset: 'node',
    limitCount: 'node',
    limitOption: 'value',
    withClause: ':WithClause',
    op: 'value',
    all: 'value',
    larg: ':SelectStmt',
    rarg: ':SelectStmt',
  },
  WithClause: { ctes: 'nodes', recursive: 'value' },
  CommonTableExpr: {
    ctename: 'value',
    aliascolnames: 'nodes',
    ctematerialized: 'value',
    ctequery: 'node',
    search_clause: ':CTESearchClause',
    cycle_clause: ':CTECycleClause',
  },
  CTESearchClause: { search_col_list: 'nodes', search_breadth_first: 'value', search_seq_column: 'value' },
  CTECycleClause: {
    cycle_col_list: 'nodes',
    cycle_mark_column: 'value',
    cycle_mark_value: 'node',
    cycle_mark_default: 'node',
    cycle_path_column: 'value',
  },
  ResTarget: { name: 'value', val: 'node' },
  // Sources of rows.
  RangeVar: {
    schemaname: 'checked',
    relname: 'checked',
    inh: 'value',
    relpersistence: 'checked',
    alias: ':Alias',
  },
  RangeSubselect: { lateral: 'value', subquery: 'node', alias: ':Alias' },
  RangeFunction: {
    lateral: 'value',
    ordinality: 'value',
    is_rowsfrom: 'value',
    functions: 'nodes',
    alias: ':Alias',
    coldeflist: 'nodes',
  },
  JoinExpr: {
    jointype: 'value',
    isNatural: 'value',
    larg: 'node',
    rarg: 'node',
    usingClause: 'nodes',
    join_using_alias: ':Alias',
    quals: 'node',
    alias: ':Alias',
  },
  Alias: { aliasname: 'value', colnames: 'nodes' },
  ColumnDef: { colname: 'value', typeName: ':TypeName', is_local: 'value' },
  // Expressions.
  A_Const: { ival: 'value', fval: 'value', boolval: 'value', sval: 'value', bsval: 'value', isnull: 'value' },
  ColumnRef: { fields: 'nodes' },
  A_Expr: {
    kind: 'value',
    name: 'checked',
    lexpr: 'node',
    rexpr: 'node',
    rexpr_list_start: 'value',
    rexpr_list_end: 'value',
  },
  BoolExpr: { boolop: 'value', args: 'nodes' },
  NullTest: { arg: 'node', nulltesttype: 'value' },
  BooleanTest: { arg: 'node', booltesttype: 'value' },
  CaseExpr: { arg: 'node', args: 'nodes', defresult: 'node' },
  CaseWhen: { expr: 'node', result: 'node' },
  CoalesceExpr: { args: 'nodes' },
  MinMaxExpr: { op: 'value', args: 'nodes' },
  SQLValueFunction: { op: 'checked', typmod: 'value' },
  TypeCast: { arg: 'node', typeName: ':TypeName' },
  TypeName: { names: 'checked', typmods: 'nodes', typemod: 'value', arrayBounds: 'nodes' },
  CollateClause: { arg: 'node', collname: 'checked' },
  FuncCall: {
    funcname: 'checked',
    args: 'nodes',
    agg_order: 'nodes',
    agg_filter: 'node',
    over: ':WindowDef',
    agg_within_group: 'value',
    agg_star: 'value',
    agg_distinct: 'value',
    func_variadic: 'value',
    funcformat: 'value',
  },
  NamedArgExpr: { arg: 'node', name: 'value', argnumber: 'value' },
  WindowDef: {
    name: 'value',
    refname: 'value',
    partitionClause: 'nodes',
    orderClause: 'nodes',
    frameOptions: 'value',
    startOffset: 'node',
    endOffset: 'node',
  },
  SortBy: { node: 'node', sortby_dir: 'value', sortby_nulls: 'value' },
  SubLink: { subLinkType: 'value', testexpr: 'node', operName: 'checked', subselect: 'node' },
  A_ArrayExpr: { elements: 'nodes', list_start: 'value', list_end: 'value' },
  RowExpr: { args: 'nodes', row_format: 'value' },
  A_Indirection: { arg: 'node', indirection: 'nodes' },
  A_Indices: { is_slice: 'value', lidx: 'node', uidx: 'node' },
  GroupingSet: { kind: 'value', content: 'nodes' },
  GroupingFunc: { args: 'nodes' },
  // SQL/JSON.
  JsonObjectConstructor: { exprs: 'nodes', ...JSON_OUTPUT, absent_on_null: 'value', unique: 'value' },
  JsonArrayConstructor: { exprs: 'nodes', ...JSON_OUTPUT, absent_on_null: 'value' },
  JsonArrayAgg: toFields({ arg: ':JsonValueExpr', absent_on_null: 'value' }),
  JsonObjectAgg: toFields({ arg: ':JsonKeyValue', absent_on_null: 'value', unique: 'value' }),
  JsonAggConstructor: { ...JSON_OUTPUT, agg_filter: 'node', agg_order: 'nodes', over: ':WindowDef' },
  JsonKeyValue: { key: 'node', value: ':JsonValueExpr' },
  JsonValueExpr: { raw_expr: 'node', format: ':JsonFormat' },
  JsonFormat: { format_type: 'value', encoding: 'value' },
  JsonOutput: { typeName: ':TypeName', returning: ':JsonReturning' },
  JsonReturning: { format: ':JsonFormat' },
  JsonIsPredicate: { expr: 'node', format: ':JsonFormat', item_type: 'value', unique_keys: 'value' },
  // Lists and names.
  List: { items: 'nodes' },
  String: { sval: 'value' },
  Integer: { ival: 'value' },
  Float: { fval: 'value' },
  A_Star: {},
};

/** Adds the field `constructor`, which TypeScript does not accept in an object literal. */
function toFields(fields: Fields): Fields {
  return Object.fromEntries([...Object.entries(fields), ['constructor', ':JsonAggConstructor']]);
}

/** Fields that any node may have. */
export const LOCATION_FIELDS: ReadonlySet<string> = new Set(['location', 'list_start', 'list_end']);

/** Names of rejected syntax in error messages, by node or by field. */
export const REJECTED_SYNTAX: Readonly<Record<string, string>> = {
  'SelectStmt.intoClause': 'SELECT INTO',
  'SelectStmt.lockingClause': 'FOR UPDATE, FOR SHARE and other row locks',
  'SortBy.useOp': 'ORDER BY … USING',
  'RangeVar.catalogname': 'a reference to another database',
  ParamRef: 'a parameter such as $1',
  RangeTableSample: 'TABLESAMPLE',
  RangeTableFunc: 'XMLTABLE',
  XmlExpr: 'XML',
  XmlSerialize: 'XML',
  InsertStmt: 'INSERT',
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
  MergeStmt: 'MERGE',
  SetToDefault: 'DEFAULT',
};
