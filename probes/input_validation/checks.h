// The checks that a probe of type "input_validation" makes. Read by probes/registry.cpp alone.
#pragma once

#include "probes/kit/check_row.h"

namespace holdshort::input_validation {

inline constexpr std::string_view kSchemaReferences = "OWASP API8:2023, ASVS 2.2.1, ASVS 2.2.2, CWE-20";
inline constexpr std::string_view kTypesReferences = "OWASP API8:2023, ASVS 2.2.1, CWE-20, CWE-1287";
inline constexpr std::string_view kSizeReferences = "OWASP API4:2023, ASVS 4.3.1, CWE-400, CWE-770";
inline constexpr std::string_view kMediaTypeReferences = "OWASP API8:2023, ASVS 2.2.2, CWE-20, CWE-436";
inline constexpr std::string_view kPrototypeReferences = "OWASP API8:2023, ASVS 15.3.6, CWE-1321";
inline constexpr std::string_view kRepeatedReferences = "OWASP API8:2023, ASVS 15.3.7, CWE-235";
inline constexpr std::string_view kNumbersReferences = "OWASP API8:2023, ASVS 2.2.1, CWE-1284";
inline constexpr std::string_view kFileReferences = "OWASP API8:2023, ASVS 5.2.2, CWE-20, CWE-434";
inline constexpr std::string_view kFileNameReferences = "OWASP API8:2023, ASVS 5.3.2, CWE-20, CWE-73";
inline constexpr std::string_view kUnhandledReferences = "OWASP API8:2023, ASVS 2.2.1, CWE-20, CWE-755";

inline constexpr CheckRow kChecks[] = {
    {"input_validation.baseline", "A path that cannot exist answers.", "", CheckRow::Ends::never_judges},
    {"input_validation.valid", "The valid body is accepted: without that, refusals prove nothing.",
     kSchemaReferences, CheckRow::Ends::never_fails},
    {"input_validation.still_valid", "The valid body is accepted again at the end.", kSchemaReferences,
     CheckRow::Ends::never_fails},
    {"input_validation.reached", "Without the valid body: a refusal names the field that is missing.",
     kSchemaReferences, CheckRow::Ends::never_fails},
    {"input_validation.still_reached", "The refusal that names the missing field is the same at the end.",
     kSchemaReferences, CheckRow::Ends::never_fails},
    {"input_validation.doubtful", "No field is required, so nothing doubtful is sent.", kSchemaReferences,
     CheckRow::Ends::never_judges},
    {"input_validation.fields", "Only the first fields of a long body were changed.", kSchemaReferences,
     CheckRow::Ends::never_judges},
    {"input_validation.truncated", "A body cut in the middle is refused.", kSchemaReferences},
    {"input_validation.malformed", "A body that is no JSON is refused.", kSchemaReferences},
    {"input_validation.missing_field", "A body without a required field is refused.", kSchemaReferences},
    {"input_validation.nul", "A text with a NUL is refused.", kSchemaReferences},
    {"input_validation.wrong_type", "A value of a type that no lenient parser converts is refused.",
     kTypesReferences},
    {"input_validation.null_field", "A required field that is null is refused.", kTypesReferences},
    {"input_validation.long_text", "A text of 100 KB is refused.", kSizeReferences},
    {"input_validation.deep_nesting", "A deeply nested value is refused.", kSizeReferences},
    {"input_validation.too_large", "A body of one byte more than `max_body` is refused.", kSizeReferences},
    {"input_validation.deep_brackets",
     "A form field whose name has thousands of brackets does not break the app.", kSizeReferences},
    {"input_validation.text_plain", "The valid body called text/plain is refused.", kMediaTypeReferences},
    {"input_validation.application_xml", "The valid body called application/xml is refused.",
     kMediaTypeReferences},
    {"input_validation.no_boundary", "A form in parts whose type names no boundary is refused.",
     kMediaTypeReferences},
    {"input_validation.other_boundary", "A form in parts whose type names another boundary is refused.",
     kMediaTypeReferences},
    {"input_validation.wrong_part_type", "A script for a file does not break the app; strict: is refused.",
     kFileReferences},
    {"input_validation.empty_file", "An empty file does not break the app; strict: is refused.",
     kFileReferences},
    {"input_validation.file_as_text", "A text for a file does not break the app; strict: is refused.",
     kFileReferences},
    {"input_validation.text_as_file", "A file for a text does not break the app; strict: is refused.",
     kFileReferences},
    {"input_validation.unknown_file",
     "A file that nobody asked for does not break the app; strict: is refused.", kFileReferences},
    {"input_validation.filename_path", "A file name with a path, which is lawful, does not break the app.",
     kFileNameReferences},
    {"input_validation.filename_nul", "A file name with a NUL does not break the app.", kFileNameReferences},
    {"input_validation.filename_long", "A file name of 4 KB does not break the app.", kFileNameReferences},
    {"input_validation.filename_empty", "A file without a name does not break the app.", kFileNameReferences},
    {"input_validation.no_content_type",
     "A body without Content-Type does not break the app; strict: is refused.", kMediaTypeReferences},
    {"input_validation.odd_content_type",
     "A malformed Content-Type does not break the app; strict: is refused.", kMediaTypeReferences},
    {"input_validation.upper_case_content_type",
     "A Content-Type in upper case, which is lawful, does not break the app.", kMediaTypeReferences},
    {"input_validation.other_charset", "A charset that is not UTF-8 does not break the app.",
     kMediaTypeReferences},
    {"input_validation.unknown_property", "An unknown property does not break the app; strict: is refused.",
     kSchemaReferences},
    {"input_validation.lone_surrogate", "A lone surrogate does not break the app; strict: is refused.",
     kSchemaReferences},
    {"input_validation.bad_escape", "A broken escape in a form does not break the app; strict: is refused.",
     kSchemaReferences},
    {"input_validation.unknown_charset",
     "A part of another charset does not break the app; strict: is refused.", kSchemaReferences},
    {"input_validation.proto", "A __proto__ does not break the app; strict: is refused.",
     kPrototypeReferences},
    {"input_validation.constructor", "A constructor.prototype does not break the app; strict: is refused.",
     kPrototypeReferences},
    {"input_validation.repeated_key", "A repeated key does not break the app; strict: is refused.",
     kRepeatedReferences},
    {"input_validation.boolean", "true for a number or text does not break the app; strict: is refused.",
     kTypesReferences},
    {"input_validation.quoted_number", "A number in quotes does not break the app; strict: is refused.",
     kTypesReferences},
    {"input_validation.negative_zero", "-0 does not break the app; strict: is refused.", kNumbersReferences},
    {"input_validation.huge_number", "1e309 does not break the app; strict: is refused.", kNumbersReferences},
    {"input_validation.long_number", "A number of 400 digits does not break the app; strict: is refused.",
     kNumbersReferences},
    {"input_validation.server_error.*", "No mutation is answered by 5xx; the id ends in the mutation's name.",
     kUnhandledReferences, CheckRow::Ends::never_passes},
};

}  // namespace holdshort::input_validation
