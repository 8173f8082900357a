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

/// Whether umbra_crc32c_update may be called on this processor: it has SSE 4.2 and the carry-less product.
static inline int umbra_crc32c_available(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 20)) && (c & (1u << 1));
}

/// The state that `bits` zero bits turn `state` into, where `factor` is x^(bits - 33) modulo the polynomial, reflected:
/// the product of two reflected words lies one bit lower, and the instruction multiplies by x^32.
__attribute__((target("sse4.2,pclmul"))) static inline uint64_t umbra_crc32c_shift(uint64_t state, uint64_t factor) {
  typedef long long words __attribute__((vector_size(16)));
  words product = __builtin_ia32_pclmulqdq128((words){(long long)state, 0}, (words){(long long)factor, 0}, 0);
  return __builtin_ia32_crc32di(0, (uint64_t)product[0]);
}

/// The CRC state after `count` bytes; the caller inverts it before and after.
///
/// The instruction takes three cycles and can begin anew in each: three stretches of 1 KiB are taken at a time, and what
/// the first two give is moved over those behind them.
__attribute__((target("sse4.2,pclmul"))) static inline uint32_t umbra_crc32c_update(uint32_t state, const void *bytes,
                                                                                    size_t count) {
  enum { stretch = 1024 };
  const uint64_t over_one = 0x170076fa, over_two = 0xa51b6135;
  const unsigned char *next = (const unsigned char *)bytes;
  uint64_t wide = state;
  while (count >= 3 * stretch) {
    uint64_t second = 0, third = 0;
    for (int offset = 0; offset < stretch; offset += 8) {
      uint64_t a, b, c;
      memcpy(&a, next + offset, 8);
      memcpy(&b, next + stretch + offset, 8);
      memcpy(&c, next + 2 * stretch + offset, 8);
      wide = __builtin_ia32_crc32di(wide, a);
      second = __builtin_ia32_crc32di(second, b);
      third = __builtin_ia32_crc32di(third, c);
    }
    wide = umbra_crc32c_shift(wide, over_two) ^ umbra_crc32c_shift(second, over_one) ^ third;
    next += 3 * stretch;
    count -= 3 * stretch;
  }
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
