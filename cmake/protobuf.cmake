# berth_protobuf(target PROTOS a/v1/a.proto ... [GRPC] [LINK targets])
# Paths are relative to proto/, and so are imports and generated includes: "a/v1/a.pb.h".
#   target        static library of the messages; its headers are SYSTEM
#   target_grpc   with GRPC: static library of the service stubs, "a/v1/a.grpc.pb.h"
# The two are apart so that who only needs messages does not link gRPC.
find_program(BERTH_PROTOC protoc REQUIRED)

function(berth_protobuf target)
  cmake_parse_arguments(PB "GRPC" "" "PROTOS;LINK" ${ARGN})
  set(root ${CMAKE_SOURCE_DIR}/proto)
  set(out ${CMAKE_BINARY_DIR}/generated/proto)
  file(MAKE_DIRECTORY ${out})
  file(GLOB_RECURSE imports CONFIGURE_DEPENDS ${root}/*.proto)
  set(messages)
  set(services)
  foreach(proto ${PB_PROTOS})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    add_custom_command(
      OUTPUT ${out}/${stem}.pb.cc ${out}/${stem}.pb.h
      COMMAND ${BERTH_PROTOC} --proto_path=${root} --cpp_out=${out} ${root}/${proto}
      DEPENDS ${imports} COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND messages ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    if(PB_GRPC)
      find_program(BERTH_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
      add_custom_command(
        OUTPUT ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h
        COMMAND ${BERTH_PROTOC} --proto_path=${root} --grpc_out=${out}
          --plugin=protoc-gen-grpc=${BERTH_GRPC_CPP_PLUGIN} ${root}/${proto}
        DEPENDS ${imports} COMMENT "protoc --grpc_out ${proto}" VERBATIM)
      list(APPEND services ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
    endif()
  endforeach()

  add_library(${target} STATIC ${messages})
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf ${PB_LINK})
  if(PB_GRPC)
    add_library(${target}_grpc STATIC ${services})
    target_link_libraries(${target}_grpc PUBLIC ${target} gRPC::grpc++)
  endif()
endfunction()
