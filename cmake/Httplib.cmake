# cpp-httplib as the target holdshort_httplib, header-only and the same everywhere: HOLDSHORT_HTTPLIB_DIR, else what
# script/bootstrap fetched, else the system's header, else upstream from the network.
set(HOLDSHORT_HTTPLIB_OLDEST 0.18.7)

# Sets `result` to the version of DIR/httplib.h, "" where there is none or only the half of a split one (Debian's
# binary package: its other half is a shared library built with TLS and codecs).
function(holdshort_httplib_version dir result)
  set(version "")
  if(EXISTS ${dir}/httplib.h)
    file(STRINGS ${dir}/httplib.h implementation REGEX "^inline bool Server::listen\\(" LIMIT_COUNT 1)
    file(STRINGS ${dir}/httplib.h line REGEX "^#define CPPHTTPLIB_VERSION \"" LIMIT_COUNT 1)
    if(implementation AND line MATCHES "\"([0-9.]+)\"")
      set(version ${CMAKE_MATCH_1})
    endif()
  endif()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

set(httplib_dir "")
set(candidates ${CMAKE_SOURCE_DIR}/.cache/cpp-httplib /usr/local/include /usr/include)
if(HOLDSHORT_HTTPLIB_DIR)
  set(candidates ${HOLDSHORT_HTTPLIB_DIR})
endif()
foreach(candidate IN LISTS candidates)
  holdshort_httplib_version(${candidate} version)
  if(version VERSION_GREATER_EQUAL HOLDSHORT_HTTPLIB_OLDEST)
    set(httplib_dir ${candidate})
    break()
  endif()
endforeach()

if(NOT httplib_dir AND HOLDSHORT_HTTPLIB_DIR)
  message(FATAL_ERROR
    "HOLDSHORT_HTTPLIB_DIR: no header-only httplib.h of at least ${HOLDSHORT_HTTPLIB_OLDEST} in ${HOLDSHORT_HTTPLIB_DIR}")
elseif(NOT httplib_dir)
  message(STATUS "No header-only httplib.h of at least ${HOLDSHORT_HTTPLIB_OLDEST} here (script/bootstrap fetches "
    "Debian's): fetching upstream's")
  include(FetchContent)
  FetchContent_Declare(cpp-httplib
    GIT_REPOSITORY https://github.com/yhirose/cpp-httplib.git
    GIT_TAG v0.53.1
    GIT_SHALLOW TRUE
    SOURCE_SUBDIR none)  # the header alone: its CMakeLists would look for codecs and TLS
  FetchContent_MakeAvailable(cpp-httplib)
  set(httplib_dir ${cpp-httplib_SOURCE_DIR})
  holdshort_httplib_version(${httplib_dir} version)
endif()
message(STATUS "cpp-httplib ${version}: ${httplib_dir}")

add_library(holdshort_httplib INTERFACE)
# Copied to a folder of its own: of /usr/include this header alone, and before any other of its name.
configure_file(${httplib_dir}/httplib.h ${CMAKE_BINARY_DIR}/httplib/httplib.h COPYONLY)
target_include_directories(holdshort_httplib SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/httplib)
# No TLS and no codecs: it serves plain HTTP on the Machine. poll(), because select() writes past its set from
# descriptor 1024 on. TCP_NODELAY, because without it a kept-alive answer takes 44 ms.
# A backlog of 5 would make a burst of connections wait a second, until the client's kernel asks again.
target_compile_definitions(holdshort_httplib INTERFACE
  CPPHTTPLIB_USE_POLL CPPHTTPLIB_TCP_NODELAY=true CPPHTTPLIB_LISTEN_BACKLOG=128)
target_link_libraries(holdshort_httplib INTERFACE Threads::Threads)
