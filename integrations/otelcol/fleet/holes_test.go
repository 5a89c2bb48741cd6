package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALateBatchClosesItsHole(t *testing.T) {
	h := newHoles()
	for _, number := range []int64{1, 4, 2, 3, 3} {
		h.arrived("node", "a", number)
	}
	require.Equal(t, 0, h.open())
	require.Equal(t, []int{2, 2, 0, 1}, []int{h.missed, h.late, h.replaced, h.repeated})
}

func TestAWholeReplayMakesUpForWhatWasMissedBefore(t *testing.T) {
	h := newHoles()
	h.arrived("node", "a", 1)
	h.arrived("node", "a", 4)
	h.arrived("other", "x", 2)
	require.Equal(t, 3, h.open())
	// It began with the fifth batch, which is not there yet.
	h.arrived("node", "a", 6)
	require.Empty(t, h.completed("a", replay{name: "one", first: 5, last: 6, ended: time.Unix(1, 0)}))
	require.Equal(t, 4, h.open())
	require.Empty(t, h.node("node").last.name)
	require.Len(t, h.arrived("node", "a", 5), 1)
	require.Equal(t, "one", h.node("node").last.name)
	require.Equal(t, 1, h.open(), "the other node's is still open")
	require.Equal(t, 2, h.replaced)
}

func TestAReplayAfterARestartMakesUpForTheLastInstance(t *testing.T) {
	h := newHoles()
	h.arrived("node", "a", 3)
	h.arrived("node", "b", 1)
	require.Len(t, h.completed("b", replay{first: 1, last: 1}), 1)
	require.Equal(t, 0, h.open())
	// What the replay does not come after, it does not make up for.
	h.arrived("node", "b", 3)
	require.Equal(t, 1, h.open())
}

func TestAReplayThatLacksABatchIsNotWholeBecauseOfTheNextOne(t *testing.T) {
	h := newHoles()
	h.arrived("node", "a", 2)
	require.Empty(t, h.completed("a", replay{name: "one", first: 1, last: 2, ended: time.Unix(1, 0)}))
	h.arrived("node", "a", 3)
	require.Len(t, h.completed("a", replay{name: "two", first: 3, last: 3, ended: time.Unix(2, 0)}), 1)
	require.Equal(t, 0, h.open())
	require.False(t, h.has("a", 1))
	// It comes after all: now the first one is whole, too, and the second is still the last.
	whole := h.arrived("node", "a", 1)
	require.Len(t, whole, 1)
	require.Equal(t, "one", whole[0].name)
	require.Equal(t, "two", h.node("node").last.name)
	require.Equal(t, []int{1, 1, 0}, []int{h.missed, h.late, h.replaced})
}
