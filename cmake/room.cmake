# berth_room(name SOURCES a.cc ... [PUBLIC targets] [PRIVATE targets] [SYSTEM dirs])
# One static library per room, with our warnings and the project root as include path.
function(berth_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ROOM_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name} PUBLIC ${ROOM_PUBLIC} PRIVATE berth_warnings ${ROOM_PRIVATE})
endfunction()

# berth_test(name SOURCES a_test.cc ... LINK targets): a GoogleTest program known to ctest.
# LAUNCHER: a script that is given the program to run.
function(berth_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT;LAUNCHER" "SOURCES;LINK;ARGS;LABELS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(${name} PRIVATE berth_warnings ${TEST_LINK} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${TEST_LAUNCHER} $<TARGET_FILE:${name}> ${TEST_ARGS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}")
endfunction()
