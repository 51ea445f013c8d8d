// The whole C ABI over libtorch: the dispatcher, tensors, autograd, generators, threads.
//
// Operators are not wrapped one by one. lt_find gives a handle to any ATen operator, lt_call converts tagged values to a stack,
// fills missing trailing arguments from the schema, runs callBoxed and hands the results back. Compiles against libtorch 1.13 (Debian 12)
// and later: no c10::optional by name, no CUDA headers.
//
// Every export catches every exception and returns -1 (or null); lt_error then has the message, without a backtrace.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define LT_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

#ifdef __GLIBC__
// Every operator frees what it made, some megabytes, and the next one asks for as much. As it comes, glibc gives such memory back to the system
// each time, and the system hands out zeroed pages anew: a fourth of the time of a step on a small language model (docs/benchmarks.md).
const bool keeps_freed_memory = [] {
  constexpr int kMiB = 1 << 20;
  // Larger pieces still come from the system and go back to it. Some versions of glibc take no more than 32 MiB.
  if (mallopt(M_MMAP_THRESHOLD, 64 * kMiB) == 0) mallopt(M_MMAP_THRESHOLD, 32 * kMiB);
  return mallopt(M_TRIM_THRESHOLD, 256 * kMiB) != 0;
}();
#endif

enum Tag : int32_t {
  kNone = 0,
  kTensor = 1,
  kInt = 2,
  kDouble = 3,
  kBool = 4,
  kIntList = 5,
  kDoubleList = 6,
  kBoolList = 7,
  kTensorList = 8,  // null pointers stand for absent tensors
  kString = 9,      // UTF-8, count bytes
  kGenerator = 10,
};

}  // namespace

// Mirrors Lethe.Torch.NativeValue; a test compares the sizes.
struct lt_value {
  int32_t tag;
  int32_t count;  // elements of a list, bytes of a string
  union {
    int64_t i;
    double d;
    const void* p;
  };
};

struct lt_operator {
  c10::OperatorHandle handle;
};

struct lt_description {
  int32_t dtype;
  int32_t device_type;
  int32_t device_index;
  int32_t dimensions;
  int32_t contiguous;
  int32_t requires_grad;
  int64_t elements;
  void* data;
  int64_t sizes[16];
};

namespace {

thread_local std::string last_error;

template <typename F>
int guarded(F&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error& e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "an exception of unknown type";
  }
  return -1;
}

at::Tensor borrow(const void* p) {
  if (p == nullptr) return at::Tensor();
  return at::Tensor(c10::intrusive_ptr<at::TensorImpl>::reclaim_copy(
      static_cast<at::TensorImpl*>(const_cast<void*>(p))));
}

void* give(at::Tensor tensor) {
  return tensor.defined() ? tensor.unsafeReleaseTensorImpl() : nullptr;
}

[[noreturn]] void mismatch(const lt_value& value, const c10::Type& type) {
  std::ostringstream text;
  text << "a value with tag " << value.tag << " does not fit an argument of type " << type.str();
  throw std::invalid_argument(text.str());
}

c10::IValue scalar(const lt_value& value, const c10::Type& type) {
  switch (value.tag) {
    case kInt: return c10::IValue(value.i);
    case kDouble: return c10::IValue(value.d);
    case kBool: return c10::IValue(value.i != 0);
    default: mismatch(value, type);
  }
}

double real(const lt_value& value, const c10::Type& type) {
  if (value.tag == kDouble) return value.d;
  if (value.tag == kInt) return static_cast<double>(value.i);
  mismatch(value, type);
}

c10::IValue list(const lt_value& value, const c10::Type& type, const c10::TypePtr& element, int64_t fixed_size) {
  const auto* ints = static_cast<const int64_t*>(value.p);
  const auto* doubles = static_cast<const double*>(value.p);
  switch (element->kind()) {
    case c10::TypeKind::IntType: {
      c10::List<int64_t> result;
      // As in Python, one number given for a list of fixed length stands for all of its elements.
      if (value.tag == kInt)
        for (int64_t k = 0; k < fixed_size; k++) result.push_back(value.i);
      else if (value.tag == kIntList)
        for (int32_t k = 0; k < value.count; k++) result.push_back(ints[k]);
      else
        mismatch(value, type);
      return result;
    }
    case c10::TypeKind::FloatType: {
      c10::List<double> result;
      if (value.tag == kDoubleList)
        for (int32_t k = 0; k < value.count; k++) result.push_back(doubles[k]);
      else if (value.tag == kIntList)
        for (int32_t k = 0; k < value.count; k++) result.push_back(static_cast<double>(ints[k]));
      else
        mismatch(value, type);
      return result;
    }
    case c10::TypeKind::BoolType: {
      if (value.tag != kBoolList) mismatch(value, type);
      c10::List<bool> result;
      for (int32_t k = 0; k < value.count; k++) result.push_back(static_cast<const uint8_t*>(value.p)[k] != 0);
      return result;
    }
    case c10::TypeKind::TensorType: {
      if (value.tag != kTensorList) mismatch(value, type);
      c10::List<at::Tensor> result;
      result.reserve(value.count);
      for (int32_t k = 0; k < value.count; k++) result.push_back(borrow(static_cast<void* const*>(value.p)[k]));
      return result;
    }
    default: break;
  }
  auto result = c10::impl::GenericList(element);
  if (value.tag == kTensorList) {  // lists of optional tensors, as in index
    for (int32_t k = 0; k < value.count; k++) {
      auto tensor = borrow(static_cast<void* const*>(value.p)[k]);
      result.push_back(tensor.defined() ? c10::IValue(std::move(tensor)) : c10::IValue());
    }
  } else if (value.tag == kDoubleList && element->kind() == c10::TypeKind::NumberType) {
    for (int32_t k = 0; k < value.count; k++) result.push_back(c10::IValue(doubles[k]));
  } else if (value.tag == kIntList && element->kind() == c10::TypeKind::NumberType) {
    for (int32_t k = 0; k < value.count; k++) result.push_back(c10::IValue(ints[k]));
  } else {
    mismatch(value, type);
  }
  return result;
}

c10::IValue convert(const lt_value& value, const c10::TypePtr& type, int64_t fixed_size) {
  switch (type->kind()) {
    case c10::TypeKind::OptionalType:
      if (value.tag == kNone) return c10::IValue();
      return convert(value, type->containedType(0), fixed_size);
    case c10::TypeKind::TensorType:
      if (value.tag != kTensor && value.tag != kNone) mismatch(value, *type);
      return c10::IValue(value.tag == kTensor ? borrow(value.p) : at::Tensor());
    case c10::TypeKind::FloatType: return c10::IValue(real(value, *type));
    case c10::TypeKind::IntType:
      if (value.tag != kInt) mismatch(value, *type);
      return c10::IValue(value.i);
    case c10::TypeKind::BoolType:
      if (value.tag != kBool) mismatch(value, *type);
      return c10::IValue(value.i != 0);
    case c10::TypeKind::NumberType: return scalar(value, *type);
    case c10::TypeKind::StringType:
      if (value.tag != kString) mismatch(value, *type);
      return c10::IValue(std::string(static_cast<const char*>(value.p), value.count));
    case c10::TypeKind::DeviceObjType:
      if (value.tag != kString) mismatch(value, *type);
      return c10::IValue(c10::Device(std::string(static_cast<const char*>(value.p), value.count)));
    case c10::TypeKind::GeneratorType:
      if (value.tag != kGenerator) mismatch(value, *type);
      return c10::IValue(*static_cast<const at::Generator*>(value.p));
    case c10::TypeKind::ListType: return list(value, *type, type->containedType(0), fixed_size);
    default: mismatch(value, *type);
  }
}

void hand_back(c10::IValue&& value, lt_value& result) {
  result.count = 0;
  if (value.isTensor()) {
    result.p = give(std::move(value).toTensor());
    result.tag = result.p == nullptr ? kNone : kTensor;
  } else if (value.isInt()) {
    result.tag = kInt;
    result.i = value.toInt();
  } else if (value.isDouble()) {
    result.tag = kDouble;
    result.d = value.toDouble();
  } else if (value.isBool()) {
    result.tag = kBool;
    result.i = value.toBool() ? 1 : 0;
  } else if (value.isTensorList()) {
    auto tensors = value.toTensorVector();
    for (const auto& tensor : tensors)
      if (!tensor.defined()) throw std::invalid_argument("the operator returns a list with absent tensors, which Lethe does not read");
    auto** pointers = static_cast<void**>(std::malloc(sizeof(void*) * (tensors.size() + 1)));
    if (pointers == nullptr) throw std::bad_alloc();
    for (size_t k = 0; k < tensors.size(); k++) pointers[k] = give(std::move(tensors[k]));
    result.tag = kTensorList;
    result.count = static_cast<int32_t>(tensors.size());
    result.p = pointers;
  } else if (value.isNone()) {
    result.tag = kNone;
    result.p = nullptr;
  } else {
    throw std::invalid_argument("the operator returns a value of type " + value.tagKind() + ", which Lethe does not read");
  }
}

void take_back(const lt_value& result) {
  auto release = [](void* tensor) { c10::intrusive_ptr<at::TensorImpl>::reclaim(static_cast<at::TensorImpl*>(tensor)); };
  if (result.tag == kTensor) release(const_cast<void*>(result.p));
  if (result.tag != kTensorList) return;
  auto** pointers = static_cast<void**>(const_cast<void*>(result.p));
  for (int32_t k = 0; k < result.count; k++) release(pointers[k]);
  std::free(pointers);
}

std::vector<at::Tensor> borrow_all(void* const* tensors, int32_t n) {
  std::vector<at::Tensor> result;
  result.reserve(n);
  for (int32_t k = 0; k < n; k++) result.push_back(borrow(tensors[k]));
  return result;
}

}  // namespace

LT_EXPORT const char* lt_error() { return last_error.c_str(); }

LT_EXPORT const char* lt_version() { return TORCH_VERSION; }

LT_EXPORT int32_t lt_value_size() { return sizeof(lt_value); }

LT_EXPORT int32_t lt_description_size() { return sizeof(lt_description); }

// Null if this libtorch has no such operator.
LT_EXPORT lt_operator* lt_find(const char* name, const char* overload) {
  lt_operator* result = nullptr;
  guarded([&] {
    auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    if (handle.has_value()) result = new lt_operator{*handle};
  });
  return result;
}

LT_EXPORT int lt_schema(const lt_operator* op, char* text, int32_t capacity) {
  return guarded([&] {
    std::ostringstream out;
    out << op->handle.schema();
    auto schema = out.str();
    if (static_cast<int32_t>(schema.size()) + 1 > capacity) throw std::length_error("the schema is longer than the buffer");
    std::memcpy(text, schema.c_str(), schema.size() + 1);
  });
}

// With capacity 0 the results are dropped, which is what in-place operators want.
LT_EXPORT int lt_call(const lt_operator* op, const lt_value* arguments, int32_t n, lt_value* results, int32_t capacity, int32_t* returned) {
  return guarded([&] {
    const auto& schema = op->handle.schema();
    const auto& expected = schema.arguments();
    if (n > static_cast<int32_t>(expected.size()))
      throw std::invalid_argument(std::to_string(n) + " arguments given, the operator takes " + std::to_string(expected.size()));
    torch::jit::Stack stack;
    stack.reserve(expected.size());
    for (int32_t k = 0; k < n; k++) {
      const auto& argument = expected[k];
      try {
        stack.push_back(convert(arguments[k], argument.type(), argument.N().value_or(1)));
      } catch (const std::invalid_argument& e) {
        throw std::invalid_argument("argument '" + argument.name() + "': " + e.what());
      }
    }
    for (size_t k = n; k < expected.size(); k++) {
      if (!expected[k].default_value().has_value())
        throw std::invalid_argument("argument '" + expected[k].name() + "' is missing and has no default");
      stack.push_back(*expected[k].default_value());
    }
    op->handle.callBoxed(&stack);
    if (capacity == 0) {
      *returned = 0;
      return;
    }
    if (static_cast<int32_t>(stack.size()) > capacity)
      throw std::length_error("the operator returns " + std::to_string(stack.size()) + " values, room was made for " + std::to_string(capacity));
    *returned = static_cast<int32_t>(stack.size());
    for (size_t k = 0; k < stack.size(); k++) {
      try {
        hand_back(std::move(stack[k]), results[k]);
      } catch (...) {
        for (size_t j = 0; j < k; j++) take_back(results[j]);
        throw;
      }
    }
  });
}

LT_EXPORT void lt_free(void* memory) { std::free(memory); }

LT_EXPORT void lt_tensor_release(void* tensor) {
  guarded([&] { c10::intrusive_ptr<at::TensorImpl>::reclaim(static_cast<at::TensorImpl*>(tensor)); });
}

LT_EXPORT int lt_tensor_describe(const void* tensor, lt_description* description) {
  return guarded([&] {
    auto t = borrow(tensor);
    if (t.dim() > 16) throw std::length_error("tensors of more than 16 dimensions are not supported");
    description->dtype = static_cast<int32_t>(t.scalar_type());
    description->device_type = static_cast<int32_t>(t.device().type());
    description->device_index = t.device().index();
    description->dimensions = static_cast<int32_t>(t.dim());
    description->contiguous = t.is_contiguous() ? 1 : 0;
    description->requires_grad = t.requires_grad() ? 1 : 0;
    description->elements = t.numel();
    description->data = t.numel() == 0 ? nullptr : t.data_ptr();
    for (int64_t k = 0; k < t.dim(); k++) description->sizes[k] = t.size(k);
  });
}

// A tensor over memory that outlives it; the caller copies it at once.
LT_EXPORT void* lt_tensor_over(void* data, const int64_t* sizes, int32_t dimensions, int32_t dtype) {
  void* result = nullptr;
  guarded([&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    result = give(at::from_blob(data, at::IntArrayRef(sizes, dimensions), options));
  });
  return result;
}

LT_EXPORT int lt_requires_grad(const void* tensor, int32_t value) {
  return guarded([&] { borrow(tensor).set_requires_grad(value != 0); });
}

// Null where there is no gradient yet.
LT_EXPORT int lt_gradient(const void* tensor, void** gradient) {
  return guarded([&] {
    auto t = borrow(tensor);
    *gradient = t.grad().defined() ? give(t.grad()) : nullptr;
  });
}

LT_EXPORT int lt_set_gradient(const void* tensor, const void* gradient) {
  return guarded([&] {
    auto t = borrow(tensor);
    auto g = borrow(gradient);
    if (g.defined() && (g.sizes() != t.sizes() || g.scalar_type() != t.scalar_type() || g.device() != t.device()))
      throw std::invalid_argument("a gradient has the shape, element type and device of its tensor");
    t.mutable_grad() = g;
  });
}

LT_EXPORT int32_t lt_grad_mode() { return at::GradMode::is_enabled() ? 1 : 0; }

LT_EXPORT void lt_set_grad_mode(int32_t enabled) { at::GradMode::set_enabled(enabled != 0); }

LT_EXPORT int lt_backward(const void* output, const void* gradient, int32_t retain_graph, int32_t create_graph) {
  return guarded([&] {
    std::vector<at::Tensor> gradients;
    if (gradient != nullptr) gradients.push_back(borrow(gradient));
    torch::autograd::backward({borrow(output)}, gradients, retain_graph != 0, create_graph != 0);
  });
}

LT_EXPORT int lt_grad(void* const* outputs, int32_t n_outputs, void* const* inputs, int32_t n_inputs, void* const* gradients,
                      int32_t n_gradients, int32_t retain_graph, int32_t create_graph, int32_t allow_unused, void** results) {
  return guarded([&] {
    auto found = torch::autograd::grad(borrow_all(outputs, n_outputs), borrow_all(inputs, n_inputs),
                                       borrow_all(gradients, n_gradients), retain_graph != 0, create_graph != 0, allow_unused != 0);
    for (int32_t k = 0; k < n_inputs; k++) results[k] = give(found[k]);
  });
}

// Loops that libtorch lacks, each one pass over memory where a chain of operators makes many. TensorIterator takes care of threads,
// shapes and strides; the compiler makes a clone for each family of processors.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define LT_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LT_CLONES
#endif

// Mirrors Lethe.Torch.NativeAdamStep; a test compares the sizes.
struct lt_adam_step {
  float beta1, rest1;  // rest = 1 - beta, rounded once
  float beta2, rest2;
  float l2;        // weight decay that is added to the gradient
  float shrink;    // 1 - rate * decoupled weight decay
  float rate;      // rate / (1 - beta1^t)
  float correct2;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
};

namespace {

LT_CLONES void adam(int64_t n, float* __restrict p, float* __restrict m, float* __restrict v, const float* __restrict g, const lt_adam_step& step) {
  const lt_adam_step s = step;
  for (int64_t k = 0; k < n; k++) {
    const float gradient = g[k] + s.l2 * p[k];
    m[k] = s.beta1 * m[k] + s.rest1 * gradient;
    v[k] = s.beta2 * v[k] + s.rest2 * (gradient * gradient);
    p[k] = s.shrink * p[k] - s.rate * (m[k] / (std::sqrt(v[k]) * s.correct2 + s.epsilon));
  }
}

LT_CLONES void adam_largest(int64_t n, float* __restrict p, float* __restrict m, float* __restrict v, float* __restrict largest, const float* __restrict g,
                            const lt_adam_step& step) {
  const lt_adam_step s = step;
  for (int64_t k = 0; k < n; k++) {
    const float gradient = g[k] + s.l2 * p[k];
    m[k] = s.beta1 * m[k] + s.rest1 * gradient;
    v[k] = s.beta2 * v[k] + s.rest2 * (gradient * gradient);
    largest[k] = largest[k] < v[k] ? v[k] : largest[k];
    p[k] = s.shrink * p[k] - s.rate * (m[k] / (std::sqrt(largest[k]) * s.correct2 + s.epsilon));
  }
}

LT_CLONES void pull(int64_t n, float* __restrict g, const float* __restrict weight, const float* __restrict p, const float* __restrict anchor, float strength) {
  for (int64_t k = 0; k < n; k++) g[k] += strength * weight[k] * (p[k] - anchor[k]);
}

// The first tensors are changed, the others read; all have one shape and are float32 on the CPU. The body gets contiguous runs.
template <typename Body>
void one_pass(std::vector<at::Tensor> tensors, size_t changed, Body&& body) {
  at::TensorIteratorConfig config;
  config.set_check_mem_overlap(false).resize_outputs(false).check_all_same_dtype(true);
  for (size_t k = 0; k < tensors.size(); k++) {
    if (tensors[k].scalar_type() != at::kFloat || !tensors[k].device().is_cpu() || !tensors[k].is_contiguous() || tensors[k].sizes() != tensors[0].sizes())
      throw std::invalid_argument("contiguous float32 tensors of one shape on the CPU are needed");
    if (k < changed)
      config.add_output(tensors[k]);
    else
      config.add_input(tensors[k]);
  }
  auto iterator = config.build();
  iterator.for_each([&](char** data, const int64_t*, int64_t n) { body(reinterpret_cast<float**>(data), n); });
  for (size_t k = 0; k < changed; k++) tensors[k].unsafeGetTensorImpl()->bump_version();
}

}  // namespace

LT_EXPORT int32_t lt_adam_step_size() { return sizeof(lt_adam_step); }

// One step of Adam for n parameters; largest is null without AMSGrad.
LT_EXPORT int lt_adam(void* const* parameters, void* const* gradients, void* const* first, void* const* second, void* const* largest, int32_t n,
                      const lt_adam_step* step) {
  return guarded([&] {
    for (int32_t k = 0; k < n; k++) {
      if (largest == nullptr)
        one_pass({borrow(parameters[k]), borrow(first[k]), borrow(second[k]), borrow(gradients[k])}, 3,
                 [&](float** d, int64_t count) { adam(count, d[0], d[1], d[2], d[3], *step); });
      else
        one_pass({borrow(parameters[k]), borrow(first[k]), borrow(second[k]), borrow(largest[k]), borrow(gradients[k])}, 4,
                 [&](float** d, int64_t count) { adam_largest(count, d[0], d[1], d[2], d[3], d[4], *step); });
    }
  });
}

// gradient += strength * weight * (parameter - anchor), for n parameters.
LT_EXPORT int lt_pull(void* const* gradients, void* const* weights, void* const* parameters, void* const* anchors, int32_t n, double strength) {
  return guarded([&] {
    for (int32_t k = 0; k < n; k++)
      one_pass({borrow(gradients[k]), borrow(weights[k]), borrow(parameters[k]), borrow(anchors[k])}, 1,
               [&](float** d, int64_t count) { pull(count, d[0], d[1], d[2], d[3], static_cast<float>(strength)); });
  });
}

LT_EXPORT void* lt_generator_new(const char* device, uint64_t seed) {
  at::Generator* result = nullptr;
  guarded([&] {
    // Cloning the default one needs no header of the device it belongs to.
    auto generator = at::globalContext().defaultGenerator(c10::Device(std::string(device))).clone();
    generator.set_current_seed(seed);
    result = new at::Generator(std::move(generator));
  });
  return result;
}

LT_EXPORT void lt_generator_free(void* generator) { delete static_cast<at::Generator*>(generator); }

LT_EXPORT int lt_generator_state(const void* generator, void** state) {
  return guarded([&] {
    auto g = *static_cast<const at::Generator*>(generator);
    std::lock_guard<std::mutex> lock(g.mutex());
    *state = give(g.get_state());
  });
}

LT_EXPORT int lt_generator_restore(const void* generator, const void* state) {
  return guarded([&] {
    auto g = *static_cast<const at::Generator*>(generator);
    std::lock_guard<std::mutex> lock(g.mutex());
    g.set_state(borrow(state));
  });
}

LT_EXPORT int32_t lt_threads() { return at::get_num_threads(); }

LT_EXPORT int lt_set_threads(int32_t threads) {
  return guarded([&] { at::set_num_threads(threads); });
}

// 0 where libtorch_cuda is not loaded or finds no device.
LT_EXPORT int32_t lt_cuda_devices() {
  int32_t count = 0;
  guarded([&] {
    if (c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA))
      count = c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount();
  });
  return count;
}
