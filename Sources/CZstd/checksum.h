// CRC-32C (Castagnoli) by the processor's own instruction, where it has one.
//
// Header only: the instruction needs a target attribute that Swift cannot give. The portable form is Swift's.
#ifndef UMBRA_CHECKSUM_H
#define UMBRA_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/// Whether umbra_crc32c_update may be called on this processor.
static inline int umbra_crc32c_available(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 20));
}

/// The CRC state after `count` bytes; the caller inverts it before and after.
__attribute__((target("sse4.2"))) static inline uint32_t umbra_crc32c_update(uint32_t state, const void *bytes,
                                                                             size_t count) {
  const unsigned char *next = (const unsigned char *)bytes;
  uint64_t wide = state;
  while (count >= 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    wide = __builtin_ia32_crc32di(wide, word);
    next += 8;
    count -= 8;
  }
  uint32_t narrow = (uint32_t)wide;
  while (count > 0) {
    narrow = __builtin_ia32_crc32qi(narrow, *next);
    next += 1;
    count -= 1;
  }
  return narrow;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

static inline int umbra_crc32c_available(void) { return (getauxval(AT_HWCAP) & (1ul << 7)) != 0; }

__attribute__((target("crc"))) static inline uint32_t umbra_crc32c_update(uint32_t state, const void *bytes,
                                                                          size_t count) {
  const unsigned char *next = (const unsigned char *)bytes;
  while (count >= 8) {
    uint64_t word;
    memcpy(&word, next, 8);
    state = __builtin_arm_crc32cd(state, word);
    next += 8;
    count -= 8;
  }
  while (count > 0) {
    state = __builtin_arm_crc32cb(state, *next);
    next += 1;
    count -= 1;
  }
  return state;
}

#else

static inline int umbra_crc32c_available(void) { return 0; }
static inline uint32_t umbra_crc32c_update(uint32_t state, const void *bytes, size_t count) {
  (void)bytes;
  (void)count;
  return state;
}

#endif
#endif
