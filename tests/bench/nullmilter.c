/* SPDX-License-Identifier: BSD-2-Clause */
/* A milter that adds one header of a signature's size and nothing else: what libmilter itself
 * costs.  With a private key (PEM) it also signs 32 octets for each message: what any milter that
 * signs must cost.
 *
 *     nullmilter unix:PATH | inet:PORT@ADDRESS [all-replies | KEYFILE]
 */
#include <libmilter/mfapi.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_OCTETS 700
#define SIGNATURE_MAX 1024

static char value[HEADER_OCTETS + 1];
static char header[] = "DKIM-Signature";
static bool all_replies;
static EVP_PKEY *private_key;

#define QUIET                                                                                      \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA |               \
     SMFIP_NR_HDR | SMFIP_NR_BODY | SMFIP_NOEOH | SMFIP_NOUNKNOWN)

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long unused_2, unsigned long unused_3,
                             unsigned long *actions_r, unsigned long *steps_r,
                             unsigned long *unused_2_r, unsigned long *unused_3_r)
{
    (void)context;
    (void)unused_2;
    (void)unused_3;
    *actions_r = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS);
    *steps_r = all_replies ? 0 : steps & QUIET;
    *unused_2_r = *unused_3_r = 0;
    return SMFIS_CONTINUE;
}

static sfsistat quiet(void)
{
    return all_replies ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
    (void)context;
    (void)name;
    (void)address;
    return quiet();
}

static sfsistat on_name(SMFICTX *context, char *name)
{
    (void)context;
    (void)name;
    return quiet();
}

static sfsistat on_address(SMFICTX *context, char **arguments)
{
    (void)context;
    (void)arguments;
    return quiet();
}

static sfsistat on_data(SMFICTX *context)
{
    (void)context;
    return quiet();
}

static sfsistat on_header(SMFICTX *context, char *name, char *text)
{
    (void)context;
    (void)name;
    (void)text;
    return quiet();
}

static sfsistat on_body(SMFICTX *context, unsigned char *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
    return quiet();
}

/* RSA with PKCS #1 v1.5, as RFC 6376 §3.3 has it. */
static bool sign(void)
{
    static const unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned char signature[SIGNATURE_MAX];
    size_t length = sizeof(signature);
    EVP_PKEY_CTX *signer = EVP_PKEY_CTX_new(private_key, NULL);
    bool good = signer != NULL && EVP_PKEY_sign_init(signer) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(signer, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(signer, EVP_sha256()) == 1 &&
                EVP_PKEY_sign(signer, signature, &length, digest, sizeof(digest)) == 1;

    EVP_PKEY_CTX_free(signer);
    return good;
}

static sfsistat on_end(SMFICTX *context)
{
    if (private_key != NULL && !sign())
        return SMFIS_TEMPFAIL;
    return smfi_insheader(context, 0, header, value) == MI_SUCCESS ? SMFIS_CONTINUE
                                                                   : SMFIS_TEMPFAIL;
}

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "re");
    EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

    if (file != NULL)
        fclose(file);
    return key;
}

int main(int argc, char **argv)
{
    static char name[] = "nullmilter";
    struct smfiDesc milter = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_name,
        .xxfi_envfrom = on_address,
        .xxfi_envrcpt = on_address,
        .xxfi_data = on_data,
        .xxfi_header = on_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end,
        .xxfi_negotiate = on_negotiate,
    };

    if (argc < 2) {
        fprintf(stderr,
                "usage: nullmilter unix:PATH | inet:PORT@ADDRESS [all-replies | KEYFILE]\n");
        return 64;
    }
    all_replies = argc > 2 && strcmp(argv[2], "all-replies") == 0;
    if (argc > 2 && !all_replies && (private_key = read_key(argv[2])) == NULL) {
        fprintf(stderr, "nullmilter: %s: no private key could be read\n", argv[2]);
        return 66;
    }
    memset(value, 'x', HEADER_OCTETS);
    /* An MTA connects as a user of its own. */
    (void)umask(0);
    if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(milter) != MI_SUCCESS ||
        smfi_setbacklog(1024) != MI_SUCCESS)
        return 1;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
