package criwatchreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/criwatch/criwatch/integrations/otelcol/internal/simtest"
)

// entityOf waits for an event of an entity.
func (i *inbox) entityOf(t *testing.T, event, kind string, id map[string]any) (found entry) {
	t.Helper()
	simtest.Until(t, event+" of a "+kind, func() bool {
		for _, one := range i.entries() {
			if one.name == event && one.attributes["entity.type"] == kind && equal(one.attributes["entity.id"], id) {
				found = one
				return true
			}
		}
		return false
	})
	return found
}

func equal(is any, wanted map[string]any) bool {
	have, isMap := is.(map[string]any)
	if !isMap || len(have) != len(wanted) {
		return false
	}
	for key, value := range wanted {
		if have[key] != value {
			return false
		}
	}
	return true
}

func TestReportsEntities(t *testing.T) {
	engine := simtest.Start(t)
	id := engine.Tell("pod web ns=shop uid=uid-1 nginx").Fields("id")[1]
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) {
		c.Events.Enabled = false
		c.Entities.Enabled = true
		c.Entities.Interval = time.Hour
	})
	pod, container := map[string]any{"k8s.pod.uid": "uid-1"}, map[string]any{"container.id": id}
	state := next.entityOf(t, "entity.state", "container", container)
	require.Equal(t, "nginx", state.attributes["entity.description"].(map[string]any)["k8s.container.name"])
	require.NotContains(t, state.attributes["entity.description"], "container.id")
	require.Equal(t, int64(3600), state.attributes["entity.report.interval"])
	require.Equal(t, []any{map[string]any{"relationship.type": "part_of", "entity.type": "k8s.pod", "entity.id": pod}},
		state.attributes["entity.relationships"])
	require.Equal(t, "node-1", state.resource["k8s.node.name"])
	state = next.entityOf(t, "entity.state", "k8s.pod", pod)
	require.Equal(t, map[string]any{"k8s.namespace.name": "shop", "k8s.pod.name": "web"}, state.attributes["entity.description"])
	require.NotContains(t, state.attributes, "entity.relationships")

	engine.Tell("rm-pod web")
	require.NotEmpty(t, next.entityOf(t, "entity.delete", "container", container).attributes["entity.delete.reason"])
	next.entityOf(t, "entity.delete", "k8s.pod", pod)
}

func TestRepeatsTheStateOfWhatRuns(t *testing.T) {
	engine := simtest.Start(t)
	id := engine.Tell("pod web ns=shop nginx").Fields("id")[1]
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) {
		c.Entities.Enabled = true
		c.Entities.Interval = 20 * time.Millisecond
	})
	simtest.Until(t, "repeated states", func() bool {
		count := 0
		for _, one := range next.entries() {
			if one.name == "entity.state" && equal(one.attributes["entity.id"], map[string]any{"container.id": id}) {
				count++
			}
		}
		return count > 5
	})
}

func TestAPodGoesOnInAnotherSandbox(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("run-pod web ns=shop uid=uid-1")
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) { c.Entities.Enabled = true })
	pod := map[string]any{"k8s.pod.uid": "uid-1"}
	next.entityOf(t, "entity.state", "k8s.pod", pod)
	second := engine.Tell("run-pod web ns=shop uid=uid-1 attempt=1").Field("id")
	started := func() bool {
		for _, one := range next.entries() {
			if one.attributes["criwatch.sandbox.id"] == second {
				return true
			}
		}
		return false
	}
	simtest.Until(t, "the second sandbox", started)
	engine.Tell("rm-pod shop/web")
	engine.Tell("pod marker ns=shop nginx")
	next.find(t, "criwatch.container.started", "nginx")
	deletes := 0
	for _, one := range next.entries() {
		if one.name == "entity.delete" && one.attributes["entity.type"] == "k8s.pod" {
			deletes++
		}
	}
	require.Zero(t, deletes)
}

func TestAnEntityThatLooksTheSameIsNotRepeated(t *testing.T) {
	engine := simtest.Start(t)
	engine.Tell("pod web ns=shop nginx")
	next := &inbox{}
	startLogs(t, engine, next, func(c *Config) { c.Entities.Enabled = true })
	next.find(t, "criwatch.replay.completed", "")
	id := engine.Tell("create web job").Field("id")
	engine.Tell("start job")
	engine.Tell("stop job")
	// All that becomes known of it comes before its end is final.
	next.entityOf(t, "entity.delete", "container", map[string]any{"container.id": id})
	descriptions := map[string]int{}
	for _, one := range next.entries() {
		if one.name == "entity.state" && equal(one.attributes["entity.id"], map[string]any{"container.id": id}) {
			descriptions[fmt.Sprint(one.attributes["entity.description"])]++
		}
	}
	require.NotEmpty(t, descriptions)
	for description, count := range descriptions {
		require.Equal(t, 1, count, description)
	}
}
