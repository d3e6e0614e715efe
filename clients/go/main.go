// Command freshet-go uses the API by the client that oapi-codegen has made. It ends with status 0 only if everything was as it should be.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strconv"
	"strings"

	"freshet.example/clients/go/freshet"

	"github.com/google/uuid"
)

func must(ok bool, format string, args ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
		os.Exit(1)
	}
}

func ptr[T any](value T) *T { return &value }

func main() {
	ctx := context.Background()
	withToken := func(token string) *freshet.ClientWithResponses {
		client, err := freshet.NewClientWithResponses(os.Getenv("FRESHET_URL"), freshet.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
		must(err == nil, "no client: %v", err)
		return client
	}
	client := withToken(os.Getenv("FRESHET_TOKEN"))
	warehouse, err := url.Parse(os.Getenv("WAREHOUSE_URL"))
	must(err == nil, "WAREHOUSE_URL: %v", err)
	const name = "go"

	keyInput := func(keyName string) freshet.CredentialInput {
		var input freshet.CredentialInput
		must(input.FromFreshdeskApiKeyInput(freshet.FreshdeskApiKeyInput{Name: keyName, ApiKey: "demo-admin-key"}) == nil, "no input")
		return input
	}
	once := ptr(uuid.NewString())
	key, err := client.CreateCredentialWithResponse(ctx, &freshet.CreateCredentialParams{IdempotencyKey: once}, keyInput(name))
	must(err == nil && key.JSON201 != nil, "no credential: %v %s", err, key.Body)
	again, err := client.CreateCredentialWithResponse(ctx, &freshet.CreateCredentialParams{IdempotencyKey: once}, keyInput(name))
	must(err == nil && reflect.DeepEqual(again.JSON201, key.JSON201), "the same key gives another answer: %s", again.Body)

	var secret freshet.CredentialInput
	text, _ := warehouse.User.Password()
	must(secret.FromPostgresPasswordInput(freshet.PostgresPasswordInput{Name: name + " password", Password: text}) == nil, "no input")
	password, err := client.CreateCredentialWithResponse(ctx, nil, secret)
	must(err == nil && password.JSON201 != nil, "no password: %v %s", err, password.Body)

	port, _ := strconv.Atoi(warehouse.Port())
	destination, err := client.CreateDestinationWithResponse(ctx, nil, freshet.DestinationInput{
		Name: name, Type: "postgres", Host: warehouse.Hostname(), Port: &port, Database: strings.TrimPrefix(warehouse.Path, "/"),
		Username: warehouse.User.Username(), CredentialId: password.JSON201.Id, SslMode: ptr(freshet.DestinationInputSslMode("disable")),
	})
	must(err == nil && destination.JSON201 != nil, "no destination: %v %s", err, destination.Body)

	pipeline, err := client.CreatePipelineWithResponse(ctx, nil, freshet.PipelineInput{
		Name:          name,
		DestinationId: destination.JSON201.Id, DestinationSchema: ptr("by_go"),
		Source:  freshet.PipelineSourceInput{Type: "freshdesk", Subdomain: "demo", CredentialId: key.JSON201.Id},
		Objects: &map[string]freshet.ObjectChoice{"conversations": {Included: false}},
	})
	must(err == nil && pipeline.JSON201 != nil, "no pipeline: %v %s", err, pipeline.Body)
	read, err := client.GetPipelineWithResponse(ctx, pipeline.JSON201.Id)
	must(err == nil && reflect.DeepEqual(read.JSON200, pipeline.JSON201), "what was read is not what was made: %s", read.Body)
	must(!read.JSON200.Objects["conversations"].Included && *read.JSON200.Source.HistoricalSyncDays == 30, "not as sent: %s", read.Body)

	started, err := client.StartRunWithResponse(ctx, pipeline.JSON201.Id, nil, freshet.RunInput{})
	must(err == nil && started.JSON202 != nil, "no run: %v %s", err, started.Body)
	run := *started.JSON202
	for run.FinishedAt == nil {
		waited, err := client.GetRunWithResponse(ctx, run.Id, &freshet.GetRunParams{Wait: ptr(30)})
		must(err == nil && waited.JSON200 != nil, "no run: %v %s", err, waited.Body)
		run = *waited.JSON200
	}
	must(run.Status == "succeeded", "the run has not succeeded: %+v", run)

	seen := map[string]bool{}
	params := &freshet.ListCredentialsParams{Limit: ptr(1)}
	for {
		page, err := client.ListCredentialsWithResponse(ctx, params)
		must(err == nil && page.JSON200 != nil, "no page: %v %s", err, page.Body)
		for _, credential := range page.JSON200.Data {
			must(!seen[credential.Id.String()], "a row came twice")
			seen[credential.Id.String()] = true
		}
		if page.JSON200.NextCursor == nil {
			break
		}
		params.Cursor = page.JSON200.NextCursor
	}
	must(seen[key.JSON201.Id.String()] && seen[password.JSON201.Id.String()], "the list lacks what was made")

	taken, err := client.CreateCredentialWithResponse(ctx, nil, keyInput(name))
	must(err == nil && taken.ApplicationproblemJSON409 != nil && taken.ApplicationproblemJSON409.Code == "conflict", "no conflict: %s", taken.Body)
	missing, err := client.GetRunWithResponse(ctx, uuid.New(), nil)
	must(err == nil && missing.ApplicationproblemJSON404 != nil, "it is there: %s", missing.Body)
	late, err := client.ChangePipelineWithResponse(ctx, pipeline.JSON201.Id, &freshet.ChangePipelineParams{IfMatch: ptr(`"999"`)}, freshet.PipelineChange{FrequencyMinutes: ptr(60)})
	must(err == nil && late.ApplicationproblemJSON412 != nil, "an old version was good enough: %s", late.Body)
	stranger, err := withToken("frt_nobody").GetRunWithResponse(ctx, run.Id, nil)
	must(err == nil && stranger.ApplicationproblemJSON401 != nil, "a stranger was let in: %s", stranger.Body)
	fmt.Println("The Go client did all that it should.")
}
