"""Find duplicates with Splink on DuckDB, as its documentation advises: light
cleaning, comparisons of its own library, eight blocking rules, u from random
pairs, three sessions of expectation maximisation, connected components at 0.95.

    peer_splink.py person|company RECORDS.csv OUT.csv U_PAIRS [MODEL.json]

U_PAIRS is its max_pairs for the random pairs that u is estimated from: its
documentation calls 1e7 adequate while trying, and 1e8 and more best. With a
MODEL.json that exists, nothing is trained. Prints CPU seconds by stage as
one JSON line; the caller measures the whole process.
"""

import json
import os
import sys
import time

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

kind, records, out, u_pairs = sys.argv[1:5]
model = sys.argv[5] if len(sys.argv) > 5 else ""
stages, last = {}, time.process_time()


def stage(name):
    global last
    now = time.process_time()
    stages[name] = round(now - last, 2)
    last = now


CLEAN = {
    "person": """
        SELECT id AS unique_id,
          nullif(lower(trim(first_name)), '') AS first_name, nullif(lower(trim(last_name)), '') AS last_name,
          nullif(lower(trim(email)), '') AS email, nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 9), '') AS phone,
          nullif(dob, '') AS dob, nullif(lower(trim(street)), '') AS street, nullif(lower(trim(city)), '') AS city,
          nullif(postcode, '') AS postcode, nullif(lower(trim(company)), '') AS company
        FROM read_csv('{path}', all_varchar = true, header = true)""",
    "company": """
        SELECT id AS unique_id,
          nullif(trim(regexp_replace(lower(name), '[.,()（）]| (gmbh|inc|ltd|llc|ag|corp|co|kg|ltd|limited|plc)\\b|股份|有限公司|有限责任', '', 'g')), '') AS name,
          nullif(upper(regexp_replace(registration_no, '[^0-9A-Za-z]', '', 'g')), '') AS regno,
          nullif(lower(trim(email)), '') AS email, nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 9), '') AS phone,
          nullif(regexp_replace(lower(website), '^(https?://)?(www\\.)?|/.*$', '', 'g'), '') AS domain,
          nullif(lower(trim(street)), '') AS street, nullif(lower(trim(city)), '') AS city, nullif(postcode, '') AS postcode
        FROM read_csv('{path}', all_varchar = true, header = true)""",
}


def text(column, *levels):
    """Exact with term frequencies, Jaro-Winkler at the levels, else."""
    return cl.JaroWinklerAtThresholds(column, list(levels)).configure(term_frequency_adjustments=True)


COMPARISONS = {
    "person": [
        text("first_name", 0.92, 0.88, 0.7),
        text("last_name", 0.92, 0.88, 0.7),
        cl.EmailComparison("email"),
        cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.LevenshteinAtThresholds("phone", [1, 2]),
        cl.CustomComparison(
            output_column_name="address",
            comparison_levels=[
                cll.And(cll.NullLevel("street"), cll.NullLevel("postcode")),
                cll.And(cll.ExactMatchLevel("street"), cll.ExactMatchLevel("postcode")),
                cll.JaroWinklerLevel("street", 0.9),
                cll.ExactMatchLevel("postcode"),
                cll.ExactMatchLevel("city"),
                cll.ElseLevel(),
            ],
        ),
    ],
    "company": [
        text("name", 0.95, 0.88, 0.8),
        cl.LevenshteinAtThresholds("regno", [1, 2]),
        cl.EmailComparison("email"),
        cl.LevenshteinAtThresholds("phone", [1, 2]),
        text("domain", 0.95),
        cl.CustomComparison(
            output_column_name="address",
            comparison_levels=[
                cll.And(cll.NullLevel("street"), cll.NullLevel("postcode")),
                cll.And(cll.ExactMatchLevel("street"), cll.ExactMatchLevel("postcode")),
                cll.JaroWinklerLevel("street", 0.9),
                cll.ExactMatchLevel("postcode"),
                cll.ExactMatchLevel("city"),
                cll.ElseLevel(),
            ],
        ),
    ],
}
BLOCKING = {
    "person": [
        block_on("email"), block_on("phone"), block_on("first_name", "last_name", "city"), block_on("last_name", "dob"),
        block_on("first_name", "dob"), block_on("last_name", "postcode"), block_on("first_name", "postcode"),
        block_on("substr(email, 1, 6)", "last_name"), block_on("dob", "substr(first_name, 1, 2)"), block_on("street", "postcode"),
    ],
    "company": [
        block_on("regno"), block_on("email"), block_on("phone"), block_on("domain"), block_on("name"),
        block_on("substr(name, 1, 6)", "city"), block_on("street", "postcode"), block_on("substr(name, 1, 4)", "postcode"),
    ],
}
SURE = {
    "person": [block_on("email"), block_on("phone"), block_on("first_name", "last_name", "dob")],
    "company": [block_on("regno"), block_on("email"), block_on("name", "postcode")],
}
SESSIONS = {
    "person": [block_on("last_name", "first_name"), block_on("dob"), block_on("postcode")],
    "company": [block_on("name"), block_on("domain"), block_on("postcode")],
}

con = duckdb.connect(os.environ.get("DUCKDB_FILE", ":memory:"))
con.execute("SET threads = 2")
con.execute("CREATE TABLE records AS " + CLEAN[kind].format(path=records.replace("'", "''")))
api = DuckDBAPI(con)
frame = api.register(con.table("records"))
stage("load")
if model and os.path.exists(model):
    linker = Linker(frame, model, log_level=40)
else:
    linker = Linker(frame, SettingsCreator(
        link_type="dedupe_only", comparisons=COMPARISONS[kind], blocking_rules_to_generate_predictions=BLOCKING[kind],
        retain_matching_columns=False, retain_intermediate_calculation_columns=False,
    ), log_level=40)
    linker.training.estimate_probability_two_random_records_match(SURE[kind], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=float(u_pairs), seed=1)
    for rule in SESSIONS[kind]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    if model:
        linker.misc.save_model_to_json(model, overwrite=True)
    stage("train")
pairs = linker.inference.predict(threshold_match_probability=0.95)
stage("predict")
clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=0.95)
con.execute(f"COPY (SELECT unique_id AS id, cluster_id AS cluster FROM {clusters.physical_name}) TO '{out}' (HEADER)")
stage("cluster")
print(json.dumps(stages))
