// The one way to llama.cpp: its headers, and every function of it that the engine calls, by name. Nothing else includes
// llama.h, ggml*.h or gguf.h, so that the library can be bound when the process runs instead of when it is linked: what
// has to be found then is this list. test/unit/native-house.test.ts holds the list and the sources against each other.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>
#include <gguf.h>
#include <llama.h>

#define T1_LLAMA_FUNCTIONS(X)          \
  X(ggml_backend_dev_backend_reg)      \
  X(ggml_backend_dev_by_type)          \
  X(ggml_backend_dev_count)            \
  X(ggml_backend_dev_get)              \
  X(ggml_backend_dev_get_props)        \
  X(ggml_backend_load)                 \
  X(ggml_backend_load_all_from_path)   \
  X(ggml_backend_reg_count)            \
  X(ggml_backend_reg_get)              \
  X(ggml_backend_reg_get_proc_address) \
  X(ggml_backend_reg_name)             \
  X(ggml_backend_unload)               \
  X(ggml_bf16_to_fp32)                 \
  X(ggml_blck_size)                    \
  X(ggml_fp16_to_fp32)                 \
  X(ggml_set_abort_callback)           \
  X(ggml_type_name)                    \
  X(ggml_type_size)                    \
  X(gguf_find_key)                     \
  X(gguf_free)                         \
  X(gguf_get_arr_data)                 \
  X(gguf_get_arr_n)                    \
  X(gguf_get_arr_str)                  \
  X(gguf_get_arr_type)                 \
  X(gguf_get_data_offset)              \
  X(gguf_get_kv_type)                  \
  X(gguf_get_n_tensors)                \
  X(gguf_get_tensor_name)              \
  X(gguf_get_tensor_ne)                \
  X(gguf_get_tensor_offset)            \
  X(gguf_get_tensor_size)              \
  X(gguf_get_tensor_type)              \
  X(gguf_get_val_str)                  \
  X(gguf_init_from_file)               \
  X(llama_adapter_lora_free)           \
  X(llama_adapter_lora_init)           \
  X(llama_backend_init)                \
  X(llama_batch_free)                  \
  X(llama_batch_init)                  \
  X(llama_context_default_params)      \
  X(llama_decode)                      \
  X(llama_free)                        \
  X(llama_ftype_name)                  \
  X(llama_get_embeddings_seq)          \
  X(llama_get_logits_ith)              \
  X(llama_get_memory)                  \
  X(llama_init_from_model)             \
  X(llama_log_set)                     \
  X(llama_memory_clear)                \
  X(llama_memory_seq_cp)               \
  X(llama_memory_seq_rm)               \
  X(llama_model_chat_template)         \
  X(llama_model_cls_label)             \
  X(llama_model_default_params)        \
  X(llama_model_free)                  \
  X(llama_model_get_vocab)             \
  X(llama_model_has_decoder)           \
  X(llama_model_has_encoder)           \
  X(llama_model_is_hybrid)             \
  X(llama_model_is_recurrent)          \
  X(llama_model_load_from_file)        \
  X(llama_model_meta_count)            \
  X(llama_model_meta_key_by_index)     \
  X(llama_model_meta_val_str_by_index) \
  X(llama_model_n_cls_out)             \
  X(llama_model_n_embd)                \
  X(llama_model_n_head)                \
  X(llama_model_n_head_kv)             \
  X(llama_model_n_layer)               \
  X(llama_model_n_params)              \
  X(llama_model_size)                  \
  X(llama_n_batch)                     \
  X(llama_set_adapters_lora)           \
  X(llama_set_embeddings)              \
  X(llama_set_n_threads)               \
  X(llama_state_seq_get_data)          \
  X(llama_state_seq_get_size)          \
  X(llama_state_seq_set_data)          \
  X(llama_synchronize)                 \
  X(llama_token_to_piece)              \
  X(llama_tokenize)                    \
  X(llama_vocab_bos)                   \
  X(llama_vocab_eos)                   \
  X(llama_vocab_get_add_bos)           \
  X(llama_vocab_get_text)              \
  X(llama_vocab_is_eog)                \
  X(llama_vocab_n_tokens)              \
  X(llama_vocab_type)

namespace t1::llama_api {

// Each of them is there.
#define T1_DECLARED(name) using ::name;
T1_LLAMA_FUNCTIONS(T1_DECLARED)
#undef T1_DECLARED

}  // namespace t1::llama_api
