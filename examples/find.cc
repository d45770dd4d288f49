// find.cc - index a folder and search it, through libscry, in C++17.
//
//     c++ -std=c++17 find.cc -o find $(pkg-config --cflags --libs scry)
//     ./find ~/Pictures "a white dog on the beach"
#include <scry/find.h>
#include <scry/index.h>
#include <scry/registry.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

// Calls a function of scry whose last argument is an error, and throws that.
template <typename Function, typename... Arguments> void call(Function f, Arguments... arguments)
{
    scry_error err = SCRY_ERROR_INIT;
    if (f(arguments..., &err) < 0)
        throw std::runtime_error(err.message);
}

template <auto function> struct Free {
    template <typename T> void operator()(T *p) const { function(p); }
};
void close_store(scry_store *s) { scry_store_close(s, nullptr); }

using Model = std::unique_ptr<scry_model, Free<scry_model_free>>;
using Store = std::unique_ptr<scry_store, Free<close_store>>;
using Query = std::unique_ptr<scry_query, Free<scry_query_free>>;
using Results = std::unique_ptr<scry_results, Free<scry_results_free>>;
using Text = std::unique_ptr<char, Free<std::free>>;

Model open_model(const char *name)
{
    char *dir;
    scry_model *model;
    call(scry_model_resolve, name, &dir);
    Text owned(dir);
    call(scry_model_open, &model, dir, nullptr);
    return Model(model);
}

Store open_store(const char *where, const scry_model *model)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_store_options options = SCRY_STORE_OPTIONS_INIT;
    options.mode = SCRY_STORE_CREATE;
    options.model_identity = m->identity;
    options.model_name = m->name;
    options.dim = m->dim;
    scry_store *store;
    call(scry_store_open, &store, where, &options);
    return Store(store);
}

void index(scry_store *store, const scry_model *model, const char *folder)
{
    scry_index_options options = SCRY_INDEX_OPTIONS_INIT;
    options.paths = &folder;
    options.path_count = 1;
    options.skipped = [](void *, const char *path, const char *reason) { std::fprintf(stderr, "%s: %s\n", path, reason); };
    call(scry_index_run, store, model, &options, nullptr);
}

Results search(scry_store *store, const scry_model *model, const char *text)
{
    scry_query *parsed;
    scry_results *results;
    scry_query_tools tools = SCRY_QUERY_TOOLS_INIT;
    call(scry_query_parse, &parsed, &text, 1);
    Query query(parsed);
    tools.model = model;
    tools.store = store;
    call(scry_find, &results, &tools, parsed, nullptr);
    return Results(results);
}

}   // namespace

int main(int argc, char **argv)
try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s FOLDER DESCRIPTION\n", argv[0]);
        return 2;
    }
    Model model = open_model(std::getenv("SCRY_MODEL"));
    Store store = open_store("find.store", model.get());
    index(store.get(), model.get(), argv[1]);
    Results results = search(store.get(), model.get(), argv[2]);
    for (size_t i = 0; i < results->count; i++)
        std::printf("%.3f  %s\n", results->hits[i].score, results->hits[i].file.path);
    return 0;
} catch (const std::exception &e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
}
