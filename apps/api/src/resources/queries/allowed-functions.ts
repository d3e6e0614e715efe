/**
 * The functions that a query may call, all of them in the schema `pg_catalog`. A function is listed
 * only if it has no side effects, reads nothing but its arguments and the clock, executes no SQL,
 * waits for nothing, and cannot create a value that is much larger than its arguments.
 *
 * Examples of functions that are therefore missing: `pg_read_file`, `lo_get`, `dblink`,
 * `query_to_xml`, `ts_stat`, `set_config`, `nextval`, `pg_sleep`, `pg_advisory_lock`,
 * `pg_terminate_backend`, `repeat`, `lpad`, `format` and `array_fill`.
 */
const GROUPS: readonly string[] = [
  // Aggregates.
  `any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every
   json_agg json_object_agg jsonb_agg jsonb_object_agg json_agg_strict jsonb_agg_strict max min mode
   percentile_cont percentile_disc range_agg range_intersect_agg regr_avgx regr_avgy regr_count
   regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp
   string_agg sum var_pop var_samp variance`,
  // Window functions.
  `cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number`,
  // Numbers.
  `abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees div exp factorial floor gcd lcm ln log log10
   min_scale mod pi power radians random round scale sign sin sqrt tan trim_scale trunc width_bucket`,
  // Texts.
  `ascii bit_count bit_length btrim char_length character_length chr concat concat_ws decode encode
   initcap is_normalized left length like_escape lower ltrim md5 normalize octet_length overlay parse_ident
   position quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match
   regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr replace
   reverse right rtrim sha224 sha256 sha384 sha512 similar_to_escape split_part starts_with
   string_to_array string_to_table strpos substr substring to_hex translate unistr upper casefold`,
  // Dates and times.
  `age clock_timestamp date date_add date_bin date_part date_subtract date_trunc extract isfinite
   justify_days justify_hours justify_interval make_date make_interval make_time make_timestamp
   make_timestamptz now overlaps statement_timestamp timeofday timezone to_char to_date to_number
   to_timestamp transaction_timestamp`,
  // JSON.
  `json_array_elements json_array_elements_text json_array_length json_build_array json_build_object
   json_each json_each_text json_extract_path json_extract_path_text json_object json_object_keys
   json_populate_record json_strip_nulls json_to_record json_to_recordset json_typeof
   jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
   jsonb_build_object jsonb_concat jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all
   jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_object jsonb_object_keys
   jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first
   jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof
   row_to_json to_json to_jsonb array_to_json`,
  // Arrays, ranges, sets of rows and networks.
  `array_append array_cat array_dims array_length array_lower array_ndims array_position array_positions
   array_prepend array_remove array_replace array_reverse array_sort array_to_string array_upper
   cardinality trim_array unnest
   isempty lower_inc lower_inf upper_inc upper_inf range_merge daterange int4range int8range numrange
   tsrange tstzrange generate_series generate_subscripts
   abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network`,
  // Text search, without the functions that execute SQL.
  `numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector
   ts_headline ts_rank ts_rank_cd tsvector_to_array websearch_to_tsquery`,
  // Types and nulls.
  `num_nonnulls num_nulls pg_typeof pg_column_size`,
];

export const ALLOWED_FUNCTIONS: ReadonlySet<string> = new Set(GROUPS.flatMap((group) => group.split(/\s+/)));

/**
 * The types that a query may cast to. The types of object identifiers, such as `regclass`, are
 * missing, because their input reads the system catalog. `xml` is missing, because its input
 * expands entities.
 */
export const ALLOWED_TYPES: ReadonlySet<string> = new Set(
  `bool int2 int4 int8 float4 float8 numeric text varchar bpchar char name date time timetz timestamp
   timestamptz interval json jsonb jsonpath uuid bytea bit varbit inet cidr macaddr int4range int8range
   numrange tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange
   tstzmultirange datemultirange tsvector tsquery`.split(/\s+/),
);

/**
 * Names of functions and types that are not listed above, but are harmless in the notation
 * `value.name`. Columns have some of these names.
 */
export const HARMLESS_ATTRIBUTES: ReadonlySet<string> = new Set(
  `any area box center circle diameter format height line money oid path point points polygon radius
   slope system unknown width`.split(/\s+/),
);
