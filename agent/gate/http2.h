// What the gate says to a client that speaks HTTP/2 with prior knowledge: as much of RFC 9113 as one refusal
// needs. Whatever is let through is the app's, byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdshort::gate::http2 {

enum class ErrorCode : std::uint8_t { no_error = 0, protocol_error = 1 };

// The first request among the frames behind the client's preface.
struct First {
  enum class Kind { incomplete, request, broken } kind;
  std::uint32_t stream = 0;  // of a request
};
First first_request(std::string_view frames);

// Our preface, a response without a body, and the end: no other stream has been looked at, so that they may
// be tried again. `head` is the response as HTTP/1.1 says it; what belongs to a body or a connection is left
// out.
std::string answer(std::uint32_t stream, std::string_view head);
// Our preface and the end.
std::string goodbye(ErrorCode error);

}  // namespace holdshort::gate::http2
