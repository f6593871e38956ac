# How everything of ours is compiled: the target holdshort_options carries language, warnings, sanitizers, hardening.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Release is what we ship: small (docs/decisions/0004), and quick where bytes flow (HOT_SOURCES in CMakeLists.txt).
# Debug is what we test: optimised just enough to be quick to compile and to run, with asserts.
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

add_library(holdshort_options INTERFACE)
target_include_directories(holdshort_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(holdshort_options INTERFACE
  HOLDSHORT_VERSION="${PROJECT_VERSION}" BOOST_ASIO_NO_DEPRECATED _GLIBCXX_ASSERTIONS)
target_compile_options(holdshort_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${HOLDSHORT_WERROR}>:-Werror>
  -fstack-protector-strong
  # False in optimised coroutines: g++ inlines Asio's operator new of a frame but not its operator delete.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)

if(HOLDSHORT_SANITIZE)
  # g++ sees values as uninitialised that only its own instrumentation left open; ThreadSanitizer does not know fences,
  # which Asio can do without: its queue's mutex orders handlers already.
  target_compile_options(holdshort_options INTERFACE
    -fsanitize=${HOLDSHORT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -Wno-maybe-uninitialized
    # Its check reads memory through a pipe, so it finds a fault in everything once a test has used up all descriptors.
    -fno-sanitize=vptr)
  if(HOLDSHORT_SANITIZE STREQUAL thread)
    target_compile_definitions(holdshort_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  target_link_options(holdshort_options INTERFACE -fsanitize=${HOLDSHORT_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL Release)
  target_compile_options(holdshort_options INTERFACE -ffunction-sections -fdata-sections -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(holdshort_options INTERFACE LINKER:--gc-sections -s)
endif()
if(HOLDSHORT_STATIC)
  target_link_options(holdshort_options INTERFACE -static)
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
