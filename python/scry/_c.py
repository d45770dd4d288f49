"""The C interface of libscry, as ctypes sees it: structures, constants, functions.

It repeats include/scry/*.h. `make lint` compares the names, tests/python/test_c.py sizes, offsets and constants with what the C compiler
makes of the headers. Nothing is loaded here.
"""
from ctypes import (CFUNCTYPE, POINTER, Structure, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_ssize_t, c_uint,
                    c_uint8, c_uint32, c_uint64, c_void_p)

ID_BYTES, HASH_BYTES = 16, 32
ENOTFOUND, EINVALID, ELIMIT, ENOMEM, EIO, EREMOTE, ECANCELLED, EDAMAGED, EBUSY = range(-1, -10, -1)
PRECISION_AUTO, PRECISION_FP32, PRECISION_BF16, PRECISION_INT8 = range(4)
STORE_READ, STORE_WRITE, STORE_CREATE = range(3)
FILTER_IN, FILTER_AFTER, FILTER_BEFORE, FILTER_CAMERA = range(4, 8)
FILTER_FORMAT, FILTER_LABEL, FILTER_KEY, FILTER_MIN_WIDTH, FILTER_MIN_RATING, FILTER_KEYWORD = range(9, 15)
FILTER_FAVOURITE = 16

WORDS_PARTS, WORDS_PLACE = 1, 3
BY_AUTO, BY_LOOK, BY_WORDS = range(3)
FOUND_BY_LOOK, FOUND_BY_WORDS, FOUND_BY_BOTH = range(1, 4)
MARK_FAVOURITE = 1
TEACH_LEAST, TEACH_MOST = 3, 20
MAX_FIGURES = 24

# These numbers by their names in C.
CONSTANTS = {f"SCRY_{name}": value for name, value in globals().items() if isinstance(value, int) and name.isupper()}

ID = c_uint8 * ID_BYTES
HASH = c_uint8 * HASH_BYTES


class scry_error(Structure):
    _fields_ = [("code", c_int), ("message", c_char * 512)]


Share = CFUNCTYPE(None, c_void_p, c_uint64, c_uint64)


class scry_long_options(Structure):
    _fields_ = [("progress", Share), ("arg", c_void_p), ("cancel", POINTER(c_int))]


class scry_model_options(Structure):
    _fields_ = [("precision", c_int), ("portable", c_bool), ("raw", c_bool), ("language", c_char_p), ("reading", POINTER(scry_long_options)),
                ("name", c_char_p)]


class scry_model_add_options(Structure):
    _fields_ = [("texts", c_char_p), ("copy", c_bool), ("work", POINTER(scry_long_options))]


class scry_image_spec(Structure):
    _fields_ = [("size", c_int), ("views", c_int), ("fit", c_int * 4), ("filter", c_int)]


class scry_taught_name(Structure):
    _fields_ = [("name", c_char_p), ("pictures", c_int), ("taught_at", c_char_p)]


class scry_model_info(Structure):
    _fields_ = [("name", c_char_p), ("dir", c_char_p), ("family", c_char_p), ("identity", c_char_p), ("dim", c_int), ("context", c_int),
                ("image", scry_image_spec), ("precision", c_int), ("logit_scale", c_double), ("min_score", c_double),
                ("text_summary", c_char_p), ("image_summary", c_char_p), ("tokenizer", c_char_p), ("preprocessing", c_char_p),
                ("dtype", c_char_p), ("licence", c_char_p), ("logit_bias", c_double), ("text_identity", c_char_p),
                ("pictures_dir", c_char_p), ("texts_dir", c_char_p), ("taught", POINTER(scry_taught_name)), ("taught_count", c_size_t)]


class scry_model_record(Structure):
    _fields_ = [("name", c_char_p), ("dir", c_char_p), ("bundled", c_bool), ("unfinished", c_bool), ("linked", c_bool),
                ("identity", c_char_p), ("family", c_char_p), ("licence", c_char_p), ("source", c_char_p), ("added_at", c_char_p),
                ("dim", c_int), ("bytes", c_uint64), ("problem", c_char_p)]


class scry_catalogue_entry(Structure):
    _fields_ = [("name", c_char_p), ("repository", c_char_p), ("revision", c_char_p), ("licence", c_char_p), ("summary", c_char_p),
                ("megabytes", c_int), ("dim", c_int), ("image_size", c_int), ("recommended_for", c_char_p), ("languages", c_char_p),
                ("coco_recall_at_1", c_double), ("recall_source", c_char_p), ("gflop", c_double), ("checked", c_bool)]


PullProgress = CFUNCTYPE(None, c_void_p, c_char_p, c_uint64, c_uint64)
PullWaiting = CFUNCTYPE(None, c_void_p, c_int)


class scry_pull_options(Structure):
    _fields_ = [("what", c_char_p), ("name", c_char_p), ("progress", PullProgress), ("waiting", PullWaiting), ("arg", c_void_p),
                ("cancel", POINTER(c_int))]


EmbedFailed = CFUNCTYPE(None, c_void_p, c_size_t, c_char_p, c_char_p)
EmbedProgress = CFUNCTYPE(None, c_void_p, c_size_t, c_size_t)


class scry_embed_options(Structure):
    _fields_ = [("workers", c_int), ("keep_orientation", c_bool), ("exact", c_bool), ("formats", c_uint32), ("cancel", POINTER(c_int)),
                ("texts_cut", POINTER(c_size_t)), ("failed", EmbedFailed), ("progress", EmbedProgress), ("arg", c_void_p)]


class scry_encoded(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]


class scry_rgb(Structure):
    _fields_ = [("data", c_void_p), ("width", c_int), ("height", c_int), ("stride", c_ssize_t)]


MilvusWaiting = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
MilvusNotice = CFUNCTYPE(None, c_void_p, c_char_p)


class scry_milvus_choice(Structure):
    _fields_ = [("index", c_char_p), ("search", c_char_p), ("consistency", c_char_p), ("partitions", c_bool), ("vector_field", c_char_p),
                ("id_field", c_char_p), ("map_ids", POINTER(c_int64)), ("map_paths", POINTER(c_char_p)), ("map_count", c_size_t),
                ("waiting", MilvusWaiting), ("notice", MilvusNotice), ("waiting_arg", c_void_p),
                ("path_field", c_char_p), ("half", c_bool), ("shards", c_int), ("replicas", c_int), ("alias", c_bool),
                ("partition_key", c_bool), ("mmap", c_bool), ("resource_group", c_char_p), ("single", c_bool)]


class scry_store_options(Structure):
    _fields_ = [("collection", c_char_p), ("mode", c_int), ("model_identity", c_char_p), ("model_name", c_char_p), ("precision", c_char_p),
                ("dim", c_int), ("threads", c_int), ("milvus", scry_milvus_choice)]


class scry_store_info(Structure):
    _fields_ = [("where", c_char_p), ("collection", c_char_p), ("model_identity", c_char_p), ("model_name", c_char_p),
                ("precision", c_char_p), ("dim", c_int), ("files", c_uint64), ("contents", c_uint64), ("bad_files", c_uint64),
                ("contents_estimated", c_bool), ("bytes", c_uint64), ("lacks_details", c_bool), ("change", c_uint64),
                ("finds_words", c_bool), ("keeps_marks", c_bool), ("files_change", c_uint64), ("external", c_char_p),
                ("lacks_words", c_bool)]


class scry_root(Structure):
    _fields_ = [("id", ID), ("path", c_char_p), ("files", c_uint64), ("name", c_char_p)]


class scry_file(Structure):
    _fields_ = [("id", ID), ("root", ID), ("relative", c_char_p), ("path", c_char_p), ("size", c_int64), ("mtime_ns", c_int64),
                ("content", HASH), ("width", c_int), ("height", c_int), ("format", c_char_p), ("has_time", c_bool),
                ("has_position", c_bool), ("taken_at", c_int64), ("latitude", c_double), ("longitude", c_double), ("camera", c_char_p),
                ("taken_source", c_int), ("has_taken_offset", c_bool), ("taken_offset_min", c_int), ("has_rating", c_bool),
                ("damaged", c_bool), ("lacks_details", c_bool), ("rating", c_int), ("lens", c_char_p), ("title", c_char_p),
                ("description", c_char_p), ("keywords", c_char_p), ("notes", c_void_p), ("raw", c_char_p), ("key", c_char_p),
                ("labels", POINTER(c_char_p)), ("label_count", c_size_t), ("added", c_int64), ("favourite", c_bool),
                ("text", c_char_p), ("away", c_bool)]


class scry_text_line(Structure):
    _fields_ = [("corner", c_float * 8), ("text", c_char_p), ("confidence", c_float)]


class scry_picture_text(Structure):
    _fields_ = [("content", HASH), ("reader", c_char_p), ("reason", c_char_p), ("lines", POINTER(scry_text_line)), ("line_count", c_size_t)]


class scry_id_range(Structure):
    _fields_ = [("first", c_uint64), ("end", c_uint64)]


class scry_search(Structure):
    _fields_ = [("filter", c_void_p), ("limit", c_size_t), ("offset", c_size_t), ("min_score", c_double), ("all_copies", c_bool),
                ("fold", c_double), ("approximate", c_bool)]


class scry_hit(Structure):
    _fields_ = [("score", c_double), ("file", scry_file), ("copies", c_uint64), ("folded", c_uint64), ("folded_ids", POINTER(ID)),
                ("found_by", c_int), ("word_fields", c_uint), ("matched", c_void_p), ("matched_bytes", c_size_t)]


class scry_results(Structure):
    _fields_ = [("count", c_size_t), ("hits", POINTER(scry_hit)), ("has_more", c_bool), ("scanned", c_uint64), ("has_undated", c_bool),
                ("undated", c_uint64), ("top_score", c_double), ("top_content", HASH)]


class scry_verify_report(Structure):
    _fields_ = [("files", c_uint64), ("contents", c_uint64), ("problems", c_uint64), ("cache_problems", c_uint64), ("partial", c_bool),
                ("advice", c_char_p)]


Problem = CFUNCTYPE(None, c_void_p, c_char_p)


class scry_verify_options(Structure):
    _fields_ = [("problem", Problem), ("progress", Share), ("arg", c_void_p), ("cancel", POINTER(c_int)), ("sample", c_uint64)]


class scry_compact_options(Structure):
    _fields_ = [("progress", Share), ("arg", c_void_p), ("cancel", POINTER(c_int))]


class scry_index_progress(Structure):
    _fields_ = [("found", c_uint64), ("added", c_uint64), ("updated", c_uint64), ("unchanged", c_uint64), ("skipped", c_uint64),
                ("pruned", c_uint64), ("missing", c_uint64), ("embedded", c_uint64), ("headers", c_uint64), ("damaged", c_uint64),
                ("walking", c_bool), ("elapsed_ms", c_double), ("expected", c_uint64)]


IndexProgress = CFUNCTYPE(None, c_void_p, POINTER(scry_index_progress))
IndexSkipped = CFUNCTYPE(None, c_void_p, c_char_p, c_char_p)


class scry_index_options(Structure):
    _fields_ = [("paths", POINTER(c_char_p)), ("path_count", c_size_t), ("from_file", c_char_p), ("zero_ended", c_bool),
                ("include", POINTER(c_char_p)), ("include_count", c_size_t), ("exclude", POINTER(c_char_p)), ("exclude_count", c_size_t),
                ("follow", c_bool), ("hidden", c_bool), ("no_default_excludes", c_bool), ("prune", c_bool), ("retry", c_bool),
                ("recheck", c_bool), ("rebuild_metadata", c_bool), ("keep_orientation", c_bool), ("formats", c_uint32),
                ("decoder_memory_bytes", c_size_t), ("time_limit_ms", c_int), ("workers", c_int), ("progress", IndexProgress),
                ("skipped", IndexSkipped), ("arg", c_void_p), ("cancel", POINTER(c_int))]


class scry_rebuild_estimate(Structure):
    _fields_ = [("pictures", c_uint64), ("minutes", c_double), ("bytes", c_uint64), ("free_bytes", c_uint64), ("current", c_bool)]


class scry_copy_progress(Structure):
    _fields_ = [("total", c_uint64), ("done", c_uint64), ("copied", c_uint64), ("skipped", c_uint64), ("there", c_uint64)]


CopyProgress = CFUNCTYPE(None, c_void_p, POINTER(scry_copy_progress))


class scry_copy_options(Structure):
    _fields_ = [("progress", CopyProgress), ("arg", c_void_p), ("cancel", POINTER(c_int)), ("sample", c_uint64)]


class scry_compare_report(Structure):
    _fields_ = [("files", c_uint64), ("only_here", c_uint64), ("only_there", c_uint64), ("different", c_uint64), ("roots", c_uint64),
                ("texts", c_uint64)]


class scry_text_progress(Structure):
    _fields_ = [("pictures", c_uint64), ("read", c_uint64), ("with_text", c_uint64), ("failed", c_uint64), ("missing", c_uint64),
                ("elapsed_ms", c_double)]


TextProgress = CFUNCTYPE(None, c_void_p, POINTER(scry_text_progress))


class scry_text_options(Structure):
    _fields_ = [("reader", c_char_p), ("retry", c_bool), ("decoder_memory_bytes", c_size_t), ("time_limit_ms", c_int), ("workers", c_int),
                ("progress", TextProgress), ("arg", c_void_p), ("cancel", POINTER(c_int))]


class scry_duplicates_options(Structure):
    _fields_ = [("filter", c_void_p), ("cosine", c_double), ("progress", Share), ("arg", c_void_p), ("cancel", POINTER(c_int))]


class scry_duplicate(Structure):
    _fields_ = [("id", ID), ("cosine", c_double), ("same_bytes", c_bool), ("size", c_int64), ("content", HASH)]


class scry_mark(Structure):
    _fields_ = [("kind", c_int), ("key", c_void_p), ("key_size", c_size_t), ("value", c_char_p), ("set_at", c_int64)]


class scry_eval_set_options(Structure):
    _fields_ = [("table", c_char_p), ("labels", c_bool), ("pictures", c_char_p), ("file_column", c_char_p), ("text_column", c_char_p),
                ("where", c_char_p), ("limit", c_size_t)]


class scry_eval_options(Structure):
    _fields_ = [("euclidean", c_bool), ("project", c_int), ("picture_to_text", c_bool), ("templates", POINTER(c_char_p)),
                ("template_count", c_size_t), ("store", c_void_p), ("embed", scry_embed_options), ("ranked", EmbedProgress)]


class scry_eval_figure(Structure):
    _fields_ = [("key", c_char_p), ("title", c_char_p), ("kind", c_int), ("value", c_double), ("low", c_double), ("high", c_double)]


class scry_eval_report(Structure):
    _fields_ = [("pictures", c_size_t), ("texts", c_size_t), ("skipped", c_size_t), ("dim", c_int), ("count", c_size_t),
                ("figures", scry_eval_figure * MAX_FIGURES)]


class scry_query_tools(Structure):
    _fields_ = [("session", c_void_p), ("model", c_void_p), ("decoder", c_void_p), ("store", c_void_p), ("keep_orientation", c_bool),
                ("uploaded_path", c_void_p)]


class scry_find_options(Structure):
    _fields_ = [("search", scry_search), ("by", c_int), ("auto_min_score", c_bool), ("threshold", c_void_p), ("vector", c_void_p),
                ("estimating", POINTER(scry_long_options))]


STRUCTURES = {name: value for name, value in globals().items() if name.startswith("scry_") and issubclass(value, Structure)}

EachName = CFUNCTYPE(c_int, c_void_p, c_char_p)
EachRoot = CFUNCTYPE(c_int, c_void_p, POINTER(scry_root))
EachFile = CFUNCTYPE(c_int, c_void_p, POINTER(scry_file))
EachVector = CFUNCTYPE(c_int, c_void_p, POINTER(scry_file), POINTER(c_float))
EachBad = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int64, c_int64, c_char_p)
EachRecord = CFUNCTYPE(c_int, c_void_p, POINTER(scry_model_record))
EachEntry = CFUNCTYPE(c_int, c_void_p, POINTER(scry_catalogue_entry))

_P, _ERR = c_void_p, POINTER(scry_error)   # an opaque object, the error
_OUT = POINTER(c_void_p)                   # an opaque object that the function makes
_TEXTS = POINTER(c_char_p)

# What each function returns and takes.
FUNCTIONS = {
    "scry_version": (c_char_p, []),
    "scry_model_open": (c_int, [_OUT, c_char_p, POINTER(scry_model_options), _ERR]),
    "scry_model_get_info": (POINTER(scry_model_info), [_P]),
    "scry_model_free": (None, [_P]),
    "scry_model_resolve": (c_int, [c_char_p, _OUT, _ERR]),
    "scry_models_each": (c_int, [EachRecord, c_void_p, _ERR]),
    "scry_catalogue_each": (c_int, [EachEntry, c_void_p, _ERR]),
    "scry_model_add_run": (c_int, [c_char_p, c_char_p, POINTER(scry_model_add_options), _ERR]),
    "scry_model_remove": (c_int, [c_char_p, _ERR]),
    "scry_model_pull": (c_int, [POINTER(scry_pull_options), _OUT, _ERR]),
    "scry_embed_files": (c_int, [_P, _TEXTS, c_size_t, POINTER(scry_embed_options), c_void_p, POINTER(c_size_t), _ERR]),
    "scry_embed_memory": (c_int, [_P, POINTER(scry_encoded), c_size_t, POINTER(scry_embed_options), c_void_p, _ERR]),
    "scry_embed_rgb": (c_int, [_P, POINTER(scry_rgb), c_size_t, POINTER(scry_embed_options), c_void_p, _ERR]),
    "scry_embed_lines": (c_int, [_P, _TEXTS, c_size_t, POINTER(scry_embed_options), c_void_p, POINTER(c_size_t), _ERR]),
    "scry_embed_labels": (c_int, [_P, _TEXTS, c_size_t, _TEXTS, c_size_t, POINTER(scry_embed_options), c_void_p, _ERR]),
    "scry_label_probabilities": (None, [c_void_p, POINTER(scry_model_info), c_void_p, c_void_p, c_size_t]),
    "scry_query_new": (c_void_p, []),
    "scry_query_add_text": (c_int, [_P, c_char_p, c_double, _ERR]),
    "scry_query_add_picture": (c_int, [_P, c_char_p, POINTER(c_int), c_double, _ERR]),
    "scry_query_parse": (c_int, [_OUT, _TEXTS, c_size_t, _ERR]),
    "scry_query_embed": (c_int, [_P, POINTER(scry_query_tools), c_void_p, POINTER(c_bool), _ERR]),
    "scry_query_free": (None, [_P]),
    "scry_store_open": (c_int, [_OUT, c_char_p, POINTER(scry_store_options), _ERR]),
    "scry_store_close": (c_int, [_P, _ERR]),
    "scry_store_refresh": (c_int, [_P, _ERR]),
    "scry_store_get_info": (c_int, [_P, POINTER(scry_store_info), _ERR]),
    "scry_store_describe": (None, [_P, POINTER(scry_store_info)]),
    "scry_store_collections": (c_int, [c_char_p, EachName, c_void_p, _ERR]),
    "scry_store_drop_collection": (c_int, [c_char_p, c_char_p, _ERR]),
    "scry_store_roots": (c_int, [_P, EachRoot, c_void_p, _ERR]),
    "scry_store_remove": (c_int, [_P, POINTER(ID), c_size_t, POINTER(c_uint64), _ERR]),
    "scry_store_get": (c_int, [_P, c_void_p, POINTER(POINTER(scry_results)), _ERR]),
    "scry_store_vector": (c_int, [_P, c_void_p, c_void_p, _ERR]),
    "scry_store_get_text": (c_int, [_P, c_void_p, POINTER(POINTER(scry_picture_text)), _ERR]),
    "scry_store_put_texts": (c_int, [_P, POINTER(scry_picture_text), c_size_t, _ERR]),
    "scry_picture_text_free": (None, [POINTER(scry_picture_text)]),
    "scry_place_text": (c_void_p, [c_double, c_double]),
    "scry_store_each_file": (c_int, [_P, c_void_p, c_void_p, EachFile, c_void_p, _ERR]),
    "scry_store_each_in_range": (c_int, [_P, scry_id_range, c_bool, EachVector, c_void_p, _ERR]),
    "scry_store_each_bad": (c_int, [_P, EachBad, c_void_p, _ERR]),
    "scry_store_search_many": (c_int, [_P, c_void_p, c_size_t, POINTER(scry_search), POINTER(POINTER(scry_results)), _ERR]),
    "scry_find": (c_int, [POINTER(POINTER(scry_results)), POINTER(scry_query_tools), _P, POINTER(scry_find_options), _ERR]),
    "scry_results_free": (None, [POINTER(scry_results)]),
    "scry_verify_run": (c_int, [_P, POINTER(scry_verify_options), POINTER(scry_verify_report), _ERR]),
    "scry_compact_run": (c_int, [_P, POINTER(scry_compact_options), _ERR]),
    "scry_duplicates_find": (c_int, [_OUT, _P, POINTER(scry_duplicates_options), _ERR]),
    "scry_duplicates_free": (None, [_P]),
    "scry_duplicates_hide_kept": (c_int, [_P, _P, _ERR]),
    "scry_duplicates_count": (c_size_t, [_P]),
    "scry_duplicates_group": (c_size_t, [_P, c_size_t, POINTER(POINTER(scry_duplicate))]),
    "scry_duplicates_results": (c_int, [POINTER(POINTER(scry_results)), _P, _P, c_size_t, c_size_t, _ERR]),
    "scry_text_run": (c_int, [_P, POINTER(scry_text_options), POINTER(scry_text_progress), _ERR]),
    "scry_store_put_marks": (c_int, [_P, POINTER(scry_mark), c_size_t, _ERR]),
    "scry_store_remove_marks": (c_int, [_P, POINTER(scry_mark), c_size_t, POINTER(c_uint64), _ERR]),
    "scry_store_move_root": (c_int, [_P, c_char_p, c_char_p, _ERR]),
    "scry_teach_run": (c_int, [POINTER(scry_query_tools), c_char_p, _OUT, c_size_t, POINTER(scry_long_options), _ERR]),
    "scry_model_forget": (c_int, [_P, c_char_p, _ERR]),
    "scry_rebuild_check": (c_int, [_P, _P, c_char_p, _ERR]),
    "scry_rebuild_estimate_run": (c_int, [_P, _P, POINTER(scry_long_options), POINTER(scry_rebuild_estimate), _ERR]),
    "scry_rebuild_run": (c_int, [_P, _P, POINTER(scry_store_options), POINTER(scry_index_options), POINTER(scry_index_progress), _ERR]),
    "scry_store_copy": (c_int, [_P, _P, POINTER(scry_copy_options), POINTER(scry_copy_progress), _ERR]),
    "scry_store_compare": (c_int, [_P, _P, Problem, c_void_p, POINTER(scry_copy_options), POINTER(scry_compare_report), _ERR]),
    "scry_eval_set_read": (c_int, [_OUT, POINTER(scry_eval_set_options), _ERR]),
    "scry_eval_set_free": (None, [_P]),
    "scry_eval_run": (c_int, [_P, _P, POINTER(scry_eval_options), POINTER(scry_eval_report), _ERR]),
    "scry_index_run": (c_int, [_P, _P, POINTER(scry_index_options), POINTER(scry_index_progress), _ERR]),
    "scry_threshold_known": (c_int, [_OUT, _P, _P, _ERR]),
    "scry_threshold_run": (c_int, [_OUT, _P, _P, POINTER(scry_long_options), _ERR]),
    "scry_threshold_at": (c_double, [_P, c_void_p]),
    "scry_threshold_free": (None, [_P]),
    "scry_filter_pool_new": (c_void_p, []),
    "scry_filter_pool_free": (None, [_P]),
    "scry_filter_and": (c_void_p, [_P, _P, _P]),
    "scry_filter_or": (c_void_p, [_P, _P, _P]),
    "scry_filter_text": (c_void_p, [_P, c_int, c_char_p]),
    "scry_filter_time": (c_void_p, [_P, c_int, c_int64]),
    "scry_filter_number": (c_void_p, [_P, c_int, c_int64]),
    "scry_filter_words": (c_void_p, [_P, c_char_p, c_int]),
    "scry_filter_near": (c_void_p, [_P, c_double, c_double, c_double]),
    "scry_filter_box": (c_void_p, [_P, c_double, c_double, c_double, c_double]),
    "scry_parse_period": (c_int, [c_char_p, POINTER(c_int64), POINTER(c_int64), _ERR]),
}
