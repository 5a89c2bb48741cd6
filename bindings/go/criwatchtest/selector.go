package criwatchtest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	criwatch "github.com/criwatch/criwatch/bindings/go"
	"github.com/criwatch/criwatch/bindings/go/internal/capi"
)

// requirement is one of the parts of a label selector, which commas join.
type requirement struct {
	key, operator string
	values        []string
}

// One of: !key, key in (a, b), key notin (a, b), key=value, key==value, key!=value, key>1, key<1, key.
var requirementForm = regexp.MustCompile(
	`^\s*(?:(!)\s*([^\s!=<>(),]+)|([^\s!=<>(),]+)\s+(in|notin)\s*\(([^()]*)\)|([^\s!=<>(),]+)\s*(?:(==|=|!=|>|<)\s*([^\s!=<>(),]*))?)\s*(?:,|$)`)

func parseSelector(text string) (requirements []requirement, failure *capi.Failure) {
	for rest := text; strings.TrimSpace(rest) != ""; {
		parts := requirementForm.FindStringSubmatch(rest)
		if parts == nil {
			return nil, refused(criwatch.ErrQuery, "the selector %q is not understood from %q on", text, rest)
		}
		rest = rest[len(parts[0]):]
		switch {
		case parts[1] != "":
			requirements = append(requirements, requirement{key: parts[2], operator: "!"})
		case parts[4] != "":
			values := strings.Split(parts[5], ",")
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
			requirements = append(requirements, requirement{parts[3], parts[4], values})
		default:
			requirements = append(requirements, requirement{parts[6], parts[7], []string{parts[8]}})
		}
	}
	return requirements, nil
}

func (r requirement) holds(entry *criwatch.Container) bool {
	value, is := label(entry, r.key)
	switch r.operator {
	case "":
		return is
	case "!":
		return !is
	case "=", "==", "in":
		return is && slices.Contains(r.values, value)
	case "!=", "notin":
		return !is || !slices.Contains(r.values, value)
	}
	has, err := strconv.ParseInt(value, 10, 64)
	limit, wrong := strconv.ParseInt(r.values[0], 10, 64)
	return is && err == nil && wrong == nil && (r.operator == ">" && has > limit || r.operator == "<" && has < limit)
}

// label is a label in the merged view, or else one of the pod.
func label(entry *criwatch.Container, key string) (value string, is bool) {
	if value, is = entry.Labels[key]; is {
		return value, is
	}
	if annotation, of := strings.CutPrefix(key, criwatch.AnnotationKeyPrefix); of {
		value, is = entry.Annotations[annotation]
		return value, is
	}
	switch {
	case key == criwatch.LabelContainerName && entry.Kind == criwatch.KindContainer:
		return entry.Name, true
	case key == criwatch.LabelSandbox && entry.Kind == criwatch.KindSandbox:
		return "", true
	case entry.Pod == nil:
		return "", false
	}
	switch key {
	case criwatch.LabelPodName:
		return entry.Pod.Name, true
	case criwatch.LabelPodNamespace:
		return entry.Pod.Namespace, true
	case criwatch.LabelPodUID:
		return entry.Pod.UID, true
	}
	value, is = entry.Pod.Labels[key]
	return value, is
}
