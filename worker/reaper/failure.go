package reaper

import (
	"fmt"

	"github.com/stevedore-jobs/stevedore/tasks"
)

// codeKillsWorker is the code of a job that kills workers. An object
// that does has the same code.
const codeKillsWorker = "kills-worker"

// killsWorker is the failure of a job whose own code kills workers.
func killsWorker(deaths int) tasks.Failure {
	return tasks.Failure{
		Kind: "internal",
		Code: codeKillsWorker,
		Message: fmt.Sprintf("%d workers died while they ran this job, the last %d of them "+
			"while nothing else ran there at which workers had died",
			deaths, deaths-onlyCareful+1),
		Fix: "Find out in the logs of the workers' processes why they ended: most often this job " +
			"needs more memory than they have. Give the workers more memory, or make the job's " +
			"input smaller. Then enqueue the job anew.",
	}
}

// workersDied is the failure of a job whose workers die while its shards
// run.
func workersDied(crashes int) tasks.Failure {
	return tasks.Failure{
		Kind:    "internal",
		Code:    "WorkerDied",
		Message: fmt.Sprintf("%d workers died while they ran this job", crashes),
		Fix: "Find out why the workers' processes ended: " +
			"most often they have too little memory. Then enqueue the job anew.",
	}
}
