// The checks that a probe of type "jwt" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::jwt {

inline constexpr std::string_view kServedReferences = "OWASP API2:2023, ASVS 9.1.1, CWE-287";
inline constexpr std::string_view kUnguardedReferences = "OWASP API2:2023, ASVS 8.2.1, CWE-306";
inline constexpr std::string_view kKnownKeyReferences = "OWASP API2:2023, ASVS 9.1.3, CWE-321, CWE-1392";
inline constexpr std::string_view kSignatureReferences = "OWASP API2:2023, ASVS 9.1.1, CWE-347";
inline constexpr std::string_view kAlgorithmReferences = "OWASP API2:2023, ASVS 9.1.2, CWE-327, CWE-347";
inline constexpr std::string_view kKeySourceReferences = "OWASP API2:2023, ASVS 9.1.3, CWE-345, CWE-347";
inline constexpr std::string_view kKeyPathReferences = "OWASP API2:2023, ASVS 9.1.3, CWE-22, CWE-347";
inline constexpr std::string_view kKeyQueryReferences = "OWASP API2:2023, ASVS 9.1.3, CWE-89, CWE-347";
inline constexpr std::string_view kKeyFetchedReferences =
    "OWASP API2:2023, OWASP API7:2023, ASVS 9.1.3, CWE-345, CWE-918";
inline constexpr std::string_view kKindReferences = "OWASP API2:2023, ASVS 9.2.2, RFC 8725 3.11";
inline constexpr std::string_view kTimeReferences = "OWASP API2:2023, ASVS 9.2.1, CWE-613";
inline constexpr std::string_view kIssuerReferences = "OWASP API2:2023, ASVS 9.1.3, CWE-345";
inline constexpr std::string_view kAudienceReferences = "OWASP API2:2023, ASVS 9.2.3, CWE-345";
inline constexpr std::string_view kShapeReferences = "ASVS 9.1.1, RFC 7515 4.1.11";

inline constexpr CheckRow kChecks[] = {
    {"jwt.accepted", "A genuine token is served before anything is forged.", kServedReferences,
     CheckRow::Ends::never_fails},
    {"jwt.no_token", "The path is refused without a token.", kUnguardedReferences},
    {"jwt.still_accepted", "A genuine token is served again at the end: no lockout did the refusing.",
     kServedReferences, CheckRow::Ends::never_fails},
    {"jwt.claims", "Forging claims needs a key, which a given token lacks.", kServedReferences,
     CheckRow::Ends::never_judges},
    {"jwt.signature_flipped", "A token whose signature was changed is refused.", kSignatureReferences},
    {"jwt.payload_tampered", "A token whose claims were changed after it was signed is refused.",
     kSignatureReferences},
    {"jwt.wrong_key", "A token signed with a key that nobody has is refused.", kSignatureReferences},
    {"jwt.wrong_key_other_algorithm",
     "A token signed by another kind of algorithm with a key that nobody has is refused.",
     kSignatureReferences},
    {"jwt.signature_empty", "A token with an empty signature is refused.", kSignatureReferences},
    {"jwt.signature_missing", "A token without its third part is refused.", kSignatureReferences},
    {"jwt.signature_truncated", "A token whose signature was cut is refused.", kSignatureReferences},
    {"jwt.trailing_part", "A token of four parts is refused.", kSignatureReferences},
    {"jwt.garbage_empty", "An empty token is refused.", kSignatureReferences},
    {"jwt.garbage_letter", "The token x is refused.", kSignatureReferences},
    {"jwt.garbage_null", "The token null is refused.", kSignatureReferences},
    {"jwt.es256_zero", "An ES256 signature of zeros is refused (CVE-2022-21449).", kSignatureReferences},
    {"jwt.es256_zero_der", "An ES256 signature of zeros in DER is refused.", kSignatureReferences},
    {"jwt.alg_none", "An unsigned token of algorithm \"none\" is refused.", kAlgorithmReferences},
    {"jwt.alg_none_two_parts", "A token of algorithm \"none\" in two parts is refused.",
     kAlgorithmReferences},
    {"jwt.alg_none_old_signature", "A token of algorithm \"none\" with a signature is refused.",
     kAlgorithmReferences},
    {"jwt.alg_none_capitalised", "Algorithm \"None\" is refused.", kAlgorithmReferences},
    {"jwt.alg_none_upper", "Algorithm \"NONE\" is refused.", kAlgorithmReferences},
    {"jwt.alg_none_mixed", "Algorithm \"nOnE\" is refused.", kAlgorithmReferences},
    {"jwt.alg_missing", "A token that names no algorithm is refused.", kAlgorithmReferences},
    {"jwt.alg_empty", "An empty algorithm is refused.", kAlgorithmReferences},
    {"jwt.alg_null", "The algorithm null is refused.", kAlgorithmReferences},
    {"jwt.alg_array", "A list for an algorithm is refused.", kAlgorithmReferences},
    {"jwt.alg_number", "A number for an algorithm is refused.", kAlgorithmReferences},
    {"jwt.jwe_dir", "An unsigned token inside one that is encrypted with a key of zeros is refused.",
     kAlgorithmReferences},
    {"jwt.jwe_public_key", "An unsigned token inside one that is encrypted to the public key is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_pem", "HS256 with the public key as PEM for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_pem_trimmed",
     "HS256 with the public key as PEM without its last line break for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_as_shown",
     "HS256 with the public key as the issuer shows it for its secret is refused.", kAlgorithmReferences},
    {"jwt.public_key_as_secret_as_shown_line",
     "HS256 with the public key as the issuer shows it, with a line break for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_pkcs1",
     "HS256 with the public key as PEM of PKCS #1 for its secret is refused.", kAlgorithmReferences},
    {"jwt.public_key_as_secret_pem_hs384", "HS384 with the public key as PEM for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_pem_hs512", "HS512 with the public key as PEM for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_der", "HS256 with the public key as DER for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_jwk", "HS256 with the public key as JWK for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_pkcs1_trimmed",
     "HS256 with the public key as PEM of PKCS #1 without its last line break for its secret is refused.",
     kAlgorithmReferences},
    {"jwt.public_key_as_secret_modulus",
     "HS256 with the public key as its modulus for its secret is refused.", kAlgorithmReferences},
    {"jwt.jwk_embedded", "A token that brings its own key (jwk) is refused.", kKeySourceReferences},
    {"jwt.x5c_embedded", "A token that brings its own certificate (x5c) is refused.", kKeySourceReferences},
    {"jwt.kid_object", "A kid that is an object gives no key.", kKeySourceReferences},
    {"jwt.kid_unknown", "An unknown kid gives no key.", kKeySourceReferences},
    {"jwt.kid_long", "A kid of 4 KiB gives no key.", kKeySourceReferences},
    {"jwt.kid_missing", "Where a kid is missing, an empty key is none.", kKeySourceReferences},
    {"jwt.jku", "A token that says where its key is (jku) is refused, and nobody calls there.",
     kKeyFetchedReferences},
    {"jwt.x5u", "A token that says where its certificate is (x5u) is refused, and nobody calls there.",
     kKeyFetchedReferences},
    {"jwt.kid_traversal", "A kid that names /dev/null gives no key.", kKeyPathReferences},
    {"jwt.kid_proc", "A kid that names a file of /proc gives no key.", kKeyPathReferences},
    {"jwt.kid_query", "A kid of SQL gives no key.", kKeyQueryReferences},
    {"jwt.key_empty", "A token signed with an empty key is refused.", kKnownKeyReferences},
    {"jwt.key_fallback",
     "A token signed with what code falls back to (\"secret\", \"changeme\", ...) is refused.",
     kKnownKeyReferences},
    {"jwt.key_published", "A token signed with a framework's published default is refused.",
     kKnownKeyReferences},
    {"jwt.expired", "A token that expired an hour ago is refused.", kTimeReferences},
    {"jwt.not_before", "A token that is valid from tomorrow on is refused.", kTimeReferences},
    {"jwt.expired_text", "An exp in the past, as text, is refused.", kTimeReferences},
    {"jwt.issuer_wrong", "A token of another issuer is refused.", kIssuerReferences},
    {"jwt.issuer_missing", "A token that names no issuer is refused.", kIssuerReferences},
    {"jwt.issuer_list", "A token of two issuers is refused.", kIssuerReferences},
    {"jwt.audience_wrong", "A token for another audience is refused.", kAudienceReferences},
    {"jwt.audience_missing", "A token that names no audience is refused.", kAudienceReferences},
    {"jwt.audience_longer", "A token for an audience that only begins with the right one is refused.",
     kAudienceReferences},
    {"jwt.crit_unknown", "A critical header that nobody knows is refused.", kShapeReferences,
     CheckRow::Ends::advice},
    {"jwt.crit_empty", "An empty crit is refused.", kShapeReferences, CheckRow::Ends::advice},
    {"jwt.b64_false", "b64 = false without crit is refused.", kShapeReferences, CheckRow::Ends::advice},
    {"jwt.claims_null", "null for claims is refused.", kShapeReferences, CheckRow::Ends::advice},
    {"jwt.claims_list", "A list for claims is refused.", kShapeReferences, CheckRow::Ends::advice},
    {"jwt.claims_text", "A text for claims is refused.", kShapeReferences, CheckRow::Ends::advice},
    {"jwt.typ_other", "A token of another kind (typ) is refused.", kKindReferences, CheckRow::Ends::advice},
    {"jwt.lifetime", "A given token ends within 400 days.", kTimeReferences, CheckRow::Ends::advice},
    {"jwt.alg_not_pinned", "Another algorithm of the same key is refused.", kAlgorithmReferences,
     CheckRow::Ends::advice},
    {"jwt.exp_missing", "A token without exp is refused.", kTimeReferences, CheckRow::Ends::advice},
    {"jwt.exp_text", "An exp that is text is refused.", kTimeReferences, CheckRow::Ends::advice},
    {"jwt.exp_null", "An exp that is null is refused.", kTimeReferences, CheckRow::Ends::advice},
    {"jwt.issued_in_future", "A token from tomorrow (iat) is refused.", kTimeReferences,
     CheckRow::Ends::advice},
};

}  // namespace holdshort::jwt
