package criwatch_test

import (
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"strings"
	"testing"
	"time"

	criwatch "github.com/criwatch/criwatch/bindings/go"
)

type describedOption struct {
	Key, Type, Default, Doc string
	Min, Max                uint64
	Choices                 []string
}

func describedOptions(t *testing.T) []describedOption {
	t.Helper()
	text, err := criwatch.DescribeOptions()
	must(t, err)
	var table struct{ Options []describedOption }
	must(t, json.Unmarshal(text, &table))
	if len(table.Options) < 20 {
		t.Fatalf("the library describes %d options only", len(table.Options))
	}
	return table.Options
}

// options.go is made from the library's table; CRI_BLESS=1 writes it anew.
func TestTypedOptionsAreTheLibrarys(t *testing.T) {
	var file strings.Builder
	file.WriteString("// Made from the library's table of options by options_test.go; CRI_BLESS=1 go test rewrites it. DO NOT EDIT.\n\n")
	file.WriteString("package criwatch\n\nimport (\n\"strconv\"\n\"time\"\n)\n")
	for _, option := range describedOptions(t) {
		// Go has no packer function: see the package's documentation.
		if !strings.HasPrefix(option.Key, "packer.") {
			writeOption(&file, option)
		}
	}
	made, err := format.Source([]byte(file.String()))
	must(t, err)
	if os.Getenv("CRI_BLESS") != "" {
		must(t, os.WriteFile("options.go", made, 0o644))
		return
	}
	committed, err := os.ReadFile("options.go")
	must(t, err)
	if string(committed) != string(made) {
		t.Errorf("options.go is not what the library's table says: run CRI_BLESS=1 go test -run %s, then again", t.Name())
	}
}

func writeOption(file *strings.Builder, option describedOption) {
	name, limits := optionName(option.Key), ""
	parameter, text := "value string", "value"
	switch {
	case isSwitch(option):
		parameter, text = "value bool", "strconv.FormatBool(value)"
	case option.Type == "choice":
		writeChoices(file, name, option)
		parameter, text = "value "+name+"Option", "string(value)"
	case option.Type == "integer":
		parameter, text = "value uint64", "strconv.FormatUint(value, 10)"
		limits = fmt.Sprintf(", from %d to %d", option.Min, option.Max)
	case option.Type == "milliseconds":
		parameter, text = "value time.Duration", "milliseconds(value)"
		limits = fmt.Sprintf(", from %s to %s", inMilliseconds(option.Min), inMilliseconds(option.Max))
	}
	byDefault := option.Default
	if option.Type == "milliseconds" {
		var number uint64
		fmt.Sscan(option.Default, &number)
		byDefault = inMilliseconds(number)
	}
	if byDefault == "" {
		byDefault = `""`
	}
	fmt.Fprintf(file, "\n// With%s sets the option %s%s; default %s.\n// %s\n", name, option.Key, limits, byDefault, option.Doc)
	fmt.Fprintf(file, "func With%s(%s) Option { return WithOption(%q, %s) }\n", name, parameter, option.Key, text)
}

func writeChoices(file *strings.Builder, name string, option describedOption) {
	fmt.Fprintf(file, "\n// %[1]sOption is a value of the option %[2]s.\ntype %[1]sOption string\n\n", name, option.Key)
	fmt.Fprintf(file, "// The values of %[1]sOption; [With%[1]s] says what they do.\nconst (\n", name)
	for _, word := range option.Choices {
		fmt.Fprintf(file, "// %[1]s%[2]s is %[3]q.\n%[1]s%[2]s %[1]sOption = %[3]q\n", name, title(word), word)
	}
	file.WriteString(")\n")
}

func isSwitch(option describedOption) bool {
	return option.Type == "choice" && strings.Join(option.Choices, " ") == "false true"
}

func inMilliseconds(number uint64) string { return (time.Duration(number) * time.Millisecond).String() }

// optionName is "ReconnectMinDelay" for "reconnect.min_delay_ms".
func optionName(key string) string {
	name := ""
	for _, word := range strings.FieldsFunc(strings.TrimSuffix(key, "_ms"), func(r rune) bool { return r == '.' || r == '_' }) {
		name += title(word)
	}
	return name
}

func title(word string) string {
	if word == "pid" || word == "id" {
		return strings.ToUpper(word)
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
