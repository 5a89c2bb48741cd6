package criwatchprom

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The gauges are the counters that rise and fall, as the schema of criwatch.stats/1 says.
func TestGaugesAreTheCountersThatRiseAndFall(t *testing.T) {
	text, err := os.ReadFile("../../../docs/schema/stats.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Stats struct {
				Properties map[string]struct{ Description string }
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	current := map[string]bool{}
	for name, counter := range schema.Properties.Stats.Properties {
		if strings.Contains(counter.Description, "rises and falls") {
			current[name] = true
		}
	}
	if len(current) == 0 || !reflect.DeepEqual(gauges, current) {
		t.Errorf("gauges: %v; the schema has %v", gauges, current)
	}
}
