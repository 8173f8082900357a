// The AEADs within swift-crypto, as contexts that keep their key.
//
// Header only, nothing is compiled: swift-crypto brings these functions, of its BoringSSL, into the program. Its Swift
// interface makes a context for each message, key schedule and tables included, and four copies; for a record of the
// usual size that costs five times what the cipher does. A version without these symbols does not link.
#ifndef UMBRA_AEAD_H
#define UMBRA_AEAD_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

typedef struct evp_aead_st EVP_AEAD;
typedef struct evp_aead_ctx_st EVP_AEAD_CTX;

const EVP_AEAD *CCryptoBoringSSL_EVP_aead_aes_128_gcm(void);
const EVP_AEAD *CCryptoBoringSSL_EVP_aead_aes_256_gcm(void);
const EVP_AEAD *CCryptoBoringSSL_EVP_aead_chacha20_poly1305(void);

/// Null where the key's length is not that of the AEAD. A tag length of 0 stands for the AEAD's own, 16 for all of these.
EVP_AEAD_CTX *CCryptoBoringSSL_EVP_AEAD_CTX_new(const EVP_AEAD *aead, const uint8_t *key, size_t key_len,
                                                size_t tag_len);
void CCryptoBoringSSL_EVP_AEAD_CTX_free(EVP_AEAD_CTX *context);

/// 1 and the plaintext where the tag fits, else 0. Does not change the context: threads may share it.
int CCryptoBoringSSL_EVP_AEAD_CTX_open(const EVP_AEAD_CTX *context, uint8_t *out, size_t *out_len, size_t max_out_len,
                                       const uint8_t *nonce, size_t nonce_len, const uint8_t *in, size_t in_len,
                                       const uint8_t *ad, size_t ad_len);

#if defined(__cplusplus)
}
#endif
#endif
