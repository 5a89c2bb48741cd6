package criwatch

import (
	"context"

	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// Raw gives a watcher's answers as the library's JSON; docs/json.md describes it.
type Raw struct{ watcher *Watcher }

// Raw returns the watcher's answers as the library's JSON.
func (w *Watcher) Raw() Raw { return Raw{w} }

// List is [Watcher.List]: "criwatch.containers/1". Query is JSON, too; "" is everything that runs.
func (r Raw) List(query string) ([]byte, error) {
	return r.ask("list", func(c watcherBackend) ([]byte, *capi.Failure) { return c.List(query) })
}

// Pods is [Watcher.Pods]: "criwatch.pods/1". Query is JSON, too; "" is everything that runs.
func (r Raw) Pods(query string) ([]byte, error) {
	return r.ask("pods", func(c watcherBackend) ([]byte, *capi.Failure) { return c.Pods(query) })
}

// Get is [Watcher.Get]: "criwatch.container/1".
func (r Raw) Get(idOrName string) ([]byte, error) {
	return r.ask("get", func(c watcherBackend) ([]byte, *capi.Failure) { return c.Get(idOrName) })
}

// Engine is [Watcher.Engine]: "criwatch.engine/1".
func (r Raw) Engine() ([]byte, error) { return r.ask("engine", watcherBackend.EngineInfo) }

// Stats is [Watcher.Stats]: "criwatch.stats/1".
func (r Raw) Stats() ([]byte, error) { return r.ask("stats", watcherBackend.Stats) }

// Inspect is [Watcher.Inspect]: "criwatch.inspect/1".
func (r Raw) Inspect(ctx context.Context, idOrName string, flags InspectFlags) ([]byte, error) {
	if r.watcher == nil {
		return nil, closed("inspect", "the watcher", true)
	}
	return await(ctx, "inspect", r.watcher.requests, func(timeoutMS int64) ([]byte, error) {
		return r.ask("inspect", func(c watcherBackend) ([]byte, *capi.Failure) {
			return c.Inspect(idOrName, uint32(flags), timeoutMS)
		})
	})
}

func (r Raw) ask(op string, question func(watcherBackend) ([]byte, *capi.Failure)) ([]byte, error) {
	var text []byte
	err := r.watcher.do(op, func(c watcherBackend) (failure *capi.Failure) {
		text, failure = question(c)
		return failure
	})
	return text, err
}

// Call calls any unary RPC of the engine's RuntimeService or ImageService, e.g. "RuntimeService/Status". Request and
// reply are in the canonical JSON of protocol buffers; request "" has no fields. RPCs that do more than read are
// refused (ErrPermission), unless the option call.allow_mutations is set. The values of environment variables in a
// verbose reply are redacted, unless the option call.show_env is set.
func (w *Watcher) Call(ctx context.Context, method, request string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		// Unlike other requests, a call may change something, so it is not sent if nobody waits for it.
		return nil, interrupted("call", err)
	}
	if w == nil {
		return nil, closed("call", "the watcher", true)
	}
	return await(ctx, "call", w.requests, func(timeoutMS int64) ([]byte, error) {
		return w.Raw().ask("call", func(c watcherBackend) ([]byte, *capi.Failure) {
			return c.Call(method, request, timeoutMS)
		})
	})
}

// DescribeOptions lists all options, as JSON ("criwatch.options/1"): key, type, default, what is allowed, and what it does.
func DescribeOptions() ([]byte, error) {
	text, failure := describeOptions()
	return text, failed("describe options", failure)
}
