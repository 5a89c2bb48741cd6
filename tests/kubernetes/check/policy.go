package main

import (
	"fmt"

	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// checkPolicy prints LEVEL, REASON and DETAIL of each broken rule, separated by tabs. "restricted" has the rules of "baseline" in it:
// what both forbid is printed with baseline.
func checkPolicy(file string) error {
	found, err := read(file)
	if err != nil {
		return err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	template := found.daemonSet.Spec.Template
	broken := map[string]bool{}
	for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
		version := api.LevelVersion{Level: level, Version: api.LatestVersion()}
		for _, result := range evaluator.EvaluatePod(version, &template.ObjectMeta, &template.Spec) {
			rule := result.ForbiddenReason + "\t" + result.ForbiddenDetail
			if !result.Allowed && !broken[rule] {
				broken[rule] = true
				fmt.Printf("%s\t%s\n", level, rule)
			}
		}
	}
	return nil
}
