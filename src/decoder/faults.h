/* faults.h - faults that tests of the client can request.
 *
 * Only with --faults-for-tests, which the client passes on if SCRY_TEST_DECODER_FAULTS=1 is in its
 * environment, and only for a file that ends with one of the marks: real libraries cannot be made to
 * crash or hang reliably.
 */
#ifndef SCRY_DECODER_FAULTS_H
#define SCRY_DECODER_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "scry-test:crash", ":hang", ":spin", ":memory" or ":exit" at the end of the file; returns
 * otherwise, with true for ":lie": the reply must be invalid. ":escape" attempts what the sandbox
 * must refuse, and exits with 100 plus the number of an attempt that succeeded. */
bool scry_decoder_fault(const uint8_t *bytes, size_t size);

#endif
