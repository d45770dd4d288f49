/* faults.h - a decoder that fails on demand, for the tests of the client.
 *
 * Only with SCRY_TEST_DECODER_FAULTS=1 in the environment, and only for a file that ends
 * with one of the marks: real libraries cannot be made to crash or hang reliably.
 */
#ifndef SCRY_DECODER_FAULTS_H
#define SCRY_DECODER_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "scry-test:crash", ":hang", ":spin", ":memory" or ":exit" at the end of the file; returns
 * otherwise, with true for ":lie": the reply is to be garbage. */
bool scry_decoder_fault(const uint8_t *bytes, size_t size);

#endif
