// What became of an attempt to connect.
#pragma once

#include <string>

namespace holdshort {

// Refused is an answer: nobody listens there. What comes after it says nothing about the port.
enum class Reached {
  open,
  refused,      // ECONNREFUSED; of a unix socket also: it does not exist
  timeout,      // nothing came back in time: filtered, or a listener too busy to accept
  unreachable,  // no route, or any other error of the network's or our own
  unresolved,   // the name has no address
};

struct Dialled {
  Reached how = Reached::unreachable;
  std::string error;  // for humans where `how` is not open: "connection refused"
};

}  // namespace holdshort
