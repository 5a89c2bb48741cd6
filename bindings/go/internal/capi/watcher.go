//go:build linux

package capi

// #include <criwatch.h>
import "C"

// Watcher is a cri_watcher.
type Watcher struct{ c *C.cri_watcher }

// NewWatcher is cri_watcher_new, with options made for it. Endpoint "" is NULL.
func NewWatcher(endpoint string, options []Option) (Watcher, *Failure) {
	if f := noNUL("endpoint", endpoint); f != nil {
		return Watcher{}, f
	}
	set, f := newOptions(options)
	if f != nil {
		return Watcher{}, f
	}
	defer C.cri_options_free(set)
	where := cstring(endpoint, true)
	defer free(where)
	var watcher Watcher
	var err *C.cri_error
	f = failure(C.cri_watcher_new(where, set, &watcher.c, &err), err)
	return watcher, f
}

func setOption(options *C.cri_options, option Option) *Failure {
	if f := noNUL("option key", option.Key); f != nil {
		return f
	}
	if f := noNUL("option "+option.Key, option.Value); f != nil {
		return f
	}
	key, value := cstring(option.Key, false), cstring(option.Value, false)
	defer free(key)
	defer free(value)
	var err *C.cri_error
	return failure(C.cri_options_set(options, key, value, &err), err)
}

// DescribeOptions is cri_options_describe.
func DescribeOptions() ([]byte, *Failure) {
	var out C.cri_buffer
	var err *C.cri_error
	return answer(C.cri_options_describe(&out, &err), &out, err)
}

// Start is cri_watcher_start.
func (w Watcher) Start() *Failure {
	var err *C.cri_error
	return failure(C.cri_watcher_start(w.c, &err), err)
}

// WaitReady is cri_watcher_wait_ready.
func (w Watcher) WaitReady(timeoutMS int64) *Failure {
	var err *C.cri_error
	return failure(C.cri_watcher_wait_ready(w.c, C.int64_t(timeoutMS), &err), err)
}

// Resync is cri_watcher_resync.
func (w Watcher) Resync(timeoutMS int64) *Failure {
	var err *C.cri_error
	return failure(C.cri_watcher_resync(w.c, C.int64_t(timeoutMS), &err), err)
}

// State is cri_watcher_state.
func (w Watcher) State() uint32 { return uint32(C.cri_watcher_state(w.c)) }

// Generation is cri_watcher_generation.
func (w Watcher) Generation() uint64 { return uint64(C.cri_watcher_generation(w.c)) }

// Stop is cri_watcher_stop.
func (w Watcher) Stop() *Failure {
	var err *C.cri_error
	return failure(C.cri_watcher_stop(w.c, &err), err)
}

// Free is cri_watcher_free.
func (w Watcher) Free() { C.cri_watcher_free(w.c) }

// List is cri_watcher_list. Query "" is NULL.
func (w Watcher) List(query string) ([]byte, *Failure) {
	return answerTo("query", query, true, func(text *C.char, out *C.cri_buffer, err **C.cri_error) C.cri_status {
		return C.cri_watcher_list(w.c, text, out, err)
	})
}

// Pods is cri_watcher_pods. Query "" is NULL.
func (w Watcher) Pods(query string) ([]byte, *Failure) {
	return answerTo("query", query, true, func(text *C.char, out *C.cri_buffer, err **C.cri_error) C.cri_status {
		return C.cri_watcher_pods(w.c, text, out, err)
	})
}

// Get is cri_watcher_get.
func (w Watcher) Get(idOrName string) ([]byte, *Failure) {
	return answerTo("id or name", idOrName, false, func(name *C.char, out *C.cri_buffer, err **C.cri_error) C.cri_status {
		return C.cri_watcher_get(w.c, name, out, err)
	})
}

// EngineInfo is cri_watcher_engine_info.
func (w Watcher) EngineInfo() ([]byte, *Failure) {
	var out C.cri_buffer
	var err *C.cri_error
	return answer(C.cri_watcher_engine_info(w.c, &out, &err), &out, err)
}

// Stats is cri_watcher_stats.
func (w Watcher) Stats() ([]byte, *Failure) {
	var out C.cri_buffer
	var err *C.cri_error
	return answer(C.cri_watcher_stats(w.c, &out, &err), &out, err)
}

// Metrics is cri_watcher_metrics.
func (w Watcher) Metrics() ([]byte, *Failure) {
	var out C.cri_buffer
	var err *C.cri_error
	return answer(C.cri_watcher_metrics(w.c, &out, &err), &out, err)
}

// Inspect is cri_watcher_inspect.
func (w Watcher) Inspect(idOrName string, flags uint32, timeoutMS int64) ([]byte, *Failure) {
	return answerTo("id or name", idOrName, false, func(name *C.char, out *C.cri_buffer, err **C.cri_error) C.cri_status {
		return C.cri_watcher_inspect(w.c, name, C.uint32_t(flags), C.int64_t(timeoutMS), out, err)
	})
}

// Call is cri_watcher_call. Request "" is NULL.
func (w Watcher) Call(method, request string, timeoutMS int64) ([]byte, *Failure) {
	if f := noNUL("method", method); f != nil {
		return nil, f
	}
	rpc := cstring(method, false)
	defer free(rpc)
	return answerTo("request", request, true, func(json *C.char, out *C.cri_buffer, err **C.cri_error) C.cri_status {
		return C.cri_watcher_call(w.c, rpc, json, C.int64_t(timeoutMS), out, err)
	})
}

// Attach is cri_watcher_attach. JSON nil is NULL.
func (w Watcher) Attach(idOrName string, json []byte) *Failure {
	if f := noNUL("id or name", idOrName); f != nil {
		return f
	}
	if f := noNUL("rucksack", string(json)); f != nil {
		return f
	}
	name := cstring(idOrName, false)
	defer free(name)
	rucksack := cstring(string(json), json == nil)
	defer free(rucksack)
	var err *C.cri_error
	return failure(C.cri_watcher_attach(w.c, name, rucksack, &err), err)
}

// answerTo passes an argument, which messages call what, to a function that answers with a text. "" is NULL if it is optional.
func answerTo(
	what, argument string, optional bool, call func(*C.char, *C.cri_buffer, **C.cri_error) C.cri_status,
) ([]byte, *Failure) {
	if f := noNUL(what, argument); f != nil {
		return nil, f
	}
	text := cstring(argument, optional)
	defer free(text)
	var out C.cri_buffer
	var err *C.cri_error
	status := call(text, &out, &err)
	return answer(status, &out, err)
}
