package producer_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stevedore-jobs/stevedore/producer"
	"github.com/stevedore-jobs/stevedore/producer/events"
	"github.com/stevedore-jobs/stevedore/tasks"
	"github.com/stevedore-jobs/stevedore/tasks/queue"
	"github.com/stevedore-jobs/stevedore/tasks/queue/embedded"
	"github.com/stevedore-jobs/stevedore/tasks/queue/redisconn"
)

// check ends an example at an error. A service handles it.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// redisWithWorker starts a Redis inside this process, and a
// worker that finds ten images, one of them corrupt. A service
// makes the options from its own settings, with
// redisconn.ParseURL.
func redisWithWorker() (o redisconn.Options, stop func()) {
	server, err := embedded.Start()
	check(err)
	stopWorker, err := startWorker(server.Options(), func(_ context.Context, l queue.Lease) outcome {
		switch {
		case l.Kind == "verify-connection":
			return outcome{result: `{"ok":true,"verdict":"all is well","checks":[]}`}
		case l.Round > 0: // the image is not corrupt any more
			return outcome{result: `{"key":"images/manifest.jsonl","entries":10}`, objects: 1}
		}
		return outcome{
			result: `{"key":"images/manifest.jsonl","entries":9,"failed":1}`, objects: 10,
			errors: []tasks.ObjectError{
				{Key: "images/7.jpg", Code: "corrupt-image", Message: "read images/7.jpg: no JPEG header"},
			},
		}
	})
	check(err)
	return server.Options(), func() { stopWorker(); server.Close() }
}

// redisAlone starts a Redis without a worker.
func redisAlone() (o redisconn.Options, stop func()) {
	server, err := embedded.Start()
	check(err)
	return server.Options(), server.Close
}

var images = tasks.Storage{
	Provider: "s3", Bucket: "my-bucket", Prefix: "images/",
	Auth: tasks.Auth{Method: tasks.AuthAnonymous},
}

func Example() {
	ctx := context.Background()
	options, stop := redisWithWorker()
	defer stop()

	client := producer.New(options)
	defer func() { _ = client.Close() }()
	id, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images})
	check(err)
	status, err := client.Wait(ctx, id, nil)
	check(err)
	manifest, err := producer.ResultAs[tasks.BuildManifestResult](status)
	check(err)
	fmt.Println(manifest.Summary())
	for failed, err := range client.Errors(ctx, id) {
		check(err)
		fmt.Println(failed.Key, failed.Code)
	}
	// Output:
	// 9 entries in images/manifest.jsonl, 1 image left out, 0 other objects skipped, written
	// images/7.jpg corrupt-image
}

func ExampleClient_Enqueue() {
	ctx := context.Background()
	options, stop := redisAlone()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()

	// With an ID of its own the caller can call again if it got
	// no answer: it is the same job.
	for range 2 {
		id, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images},
			producer.WithID("manifest-of-import-42"),
			producer.WithTenant("acme"),
			producer.WithPriority(tasks.PriorityHigh),
			producer.WithDelay(10*time.Minute),
			producer.WithDeadline(time.Now().Add(24*time.Hour)))
		fmt.Println(id, err)
	}
	// Output:
	// manifest-of-import-42 <nil>
	// manifest-of-import-42 <nil>
}

func ExampleClient_Status() {
	ctx := context.Background()
	options, stop := redisAlone()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	id, err := client.Enqueue(ctx, tasks.GenerateThumbnails{Source: images, Size: 512})
	check(err)

	status, err := client.Status(ctx, id)
	check(err)
	fmt.Println(status.Kind, status.State, status.Progress.Objects)
	// Output: generate-thumbnails queued 0
}

func ExampleClient_Wait() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	options, stop := redisWithWorker()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	id, err := client.Enqueue(ctx, tasks.VerifyConnection{Storage: images})
	check(err)

	looks := 0
	status, err := client.Wait(ctx, id, func(tasks.Status) { looks++ }) // for a progress bar
	check(err)
	fmt.Println(status.State, looks > 0)
	// Output: succeeded true
}

func ExampleClient_Cancel() {
	ctx := context.Background()
	options, stop := redisAlone()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	id, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images})
	check(err)

	state, err := client.Cancel(ctx, id)
	fmt.Println(state, err) // succeeded or failed, if it had ended before
	// Output: cancelled <nil>
}

func ExampleResultAs() {
	status := tasks.Status{
		ID: "j", Kind: "verify-connection", State: tasks.StateSucceeded,
		Result: []byte(`{"ok":true,"verdict":"all is well","checks":[]}`),
	}
	diagnosis, err := producer.ResultAs[tasks.VerifyConnectionResult](status)
	fmt.Println(diagnosis.OK, diagnosis.Verdict, err)
	_, err = producer.ResultAs[tasks.BuildManifestResult](status)
	fmt.Println(err)
	// Output:
	// true all is well <nil>
	// job j is a verify-connection job, its result is not a tasks.BuildManifestResult
}

func ExampleResult() {
	status := tasks.Status{
		ID: "j", Kind: "verify-connection", State: tasks.StateSucceeded,
		Result: []byte(`{"ok":true,"verdict":"all is well","checks":[]}`),
	}
	result, err := producer.Result(status) // of any kind
	fmt.Println(result.Summary(), err)
	// Output: found no fault in 0 checks: all is well <nil>
}

func ExampleClient_Errors() {
	ctx := context.Background()
	options, stop := redisWithWorker()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	id, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images})
	check(err)
	_, err = client.Wait(ctx, id, nil)
	check(err)

	for failed, err := range client.Errors(ctx, id) {
		check(err)
		fmt.Printf("%s: %s: %s\n", failed.Key, failed.Code, failed.Message)
	}
	// Output: images/7.jpg: corrupt-image: read images/7.jpg: no JPEG header
}

func ExampleClient_Retry() {
	ctx := context.Background()
	options, stop := redisWithWorker()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	id, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images}, producer.WithID("example"))
	check(err)
	before, err := client.Wait(ctx, id, nil)
	check(err)

	check(client.Retry(ctx, id)) // only the object that failed
	after, err := client.Wait(ctx, id, nil)
	check(err)
	fmt.Println("failed before:", before.Progress.Failed, "after:", after.Progress.Failed, "round:", after.Round)
	fmt.Println("again:", client.Retry(ctx, id))
	// Output:
	// failed before: 1 after: 0 round: 1
	// again: job example: nothing to retry: no object failed
}

func ExampleClient_Events() {
	ctx := context.Background()
	options, stop := redisWithWorker()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	_, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images}, producer.WithID("import-42"))
	check(err)

	position := events.Oldest // or the position that was saved last
	for event, err := range client.Events(ctx, position) {
		check(err)
		fmt.Println(event.Job, event.Type)
		position = event.Position // save it when the event is handled
		if event.Type.Final() {
			break
		}
	}
	for event, err := range client.Events(ctx, position, events.SoFar()) {
		check(err)
		fmt.Println("after that:", event.Type) // nothing
	}
	// Output:
	// import-42 started
	// import-42 succeeded
}

func ExampleClient_Group() {
	ctx := context.Background()
	options, stop := redisWithWorker()
	defer stop()
	client := producer.New(options)
	defer func() { _ = client.Close() }()
	_, err := client.Enqueue(ctx, tasks.BuildManifest{Source: images}, producer.WithID("import-42"))
	check(err)

	// Every process of the service runs this; each event goes to
	// one of them.
	group := client.Group("billing", "host-1")
	for event, err := range group.Events(ctx) {
		check(err)
		fmt.Println(event.ID, event.Type) // the same ID may come again
		check(group.Ack(ctx, event))
		if event.Type.Final() {
			break
		}
	}
	// Output:
	// import-42/0/started started
	// import-42/0/end succeeded
}
