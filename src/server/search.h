/* search.h - searches: their parameters, the thread that runs them in batches, the response. */
#ifndef SCRY_SERVER_SEARCH_H
#define SCRY_SERVER_SEARCH_H

#include "engine/score_groups.h"
#include "engine/search_request.h"
#include "server/request.h"

#include <stdbool.h>

typedef struct search_job {
    scry_search_request request;
    bool cut;                            /* the model reads only the beginning of a text */
    scry_groups groups;
    float *vector;                       /* owned: set when the query is embedded already */
} search_job;

search_job *search_job_new(scry_request_via via);
void search_job_free(search_job *j);

/* Read and complete the parameters: from the query string (`ignore_unknown`: a route that some other
 * service's clients call), from that and a JSON body, or a form; false: a 4xx was made. */
bool search_read_url(request *r, search_job *j, bool ignore_unknown);
bool search_read_json(request *r, search_job *j);
bool search_read_form(request *r, search_job *j, const char *content_type);

/* Queue the search for the search thread; first for a worker if it has pictures to decode. Takes the job. */
void search_submit(request *r, search_job *j);

/* The response: `results` as JSON. */
void search_answer(request *r, const search_job *j, scry_results *results);

/* Send that response (`results`: NULL after an error). Where filters let nothing pass, a worker first adds why; where a word of the
 * query may be misspelled, what was probably meant. The search thread is done with the request. */
void search_finish(request *r, const scry_results *results);

int search_thread_start(server *s, scry_error *err);
void search_thread_stop(server *s);

#endif
