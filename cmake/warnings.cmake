# Every warning we want, on every target of ours. Generated and third-party headers are SYSTEM.
add_library(berth_warnings INTERFACE)
target_compile_options(berth_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  # Designated initialisers that leave the rest at its default are how we name arguments.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(berth_warnings INTERFACE
    -Wduplicated-cond -Wlogical-op -Wuseless-cast
    # GCC 12 reports false positives in std::string concatenation and std::variant at -O2 and up.
    -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Overloaded virtual and lock analysis are clang's strong side; missing designated fields are fine.
  target_compile_options(berth_warnings INTERFACE -Wthread-safety -Wno-missing-designated-field-initializers)
endif()
if(BERTH_WERROR)
  target_compile_options(berth_warnings INTERFACE -Werror)
endif()
