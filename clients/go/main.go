// Command freshet-go uses the API through the client that oapi-codegen generated. It exits with status 0 only if every check passes.
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
		must(err == nil, "creating the client failed: %v", err)
		return client
	}
	client := withToken(os.Getenv("FRESHET_TOKEN"))
	warehouse, err := url.Parse(os.Getenv("WAREHOUSE_URL"))
	must(err == nil, "WAREHOUSE_URL: %v", err)
	const name = "go"

	buildKeyInput := func(keyName string) freshet.CredentialInput {
		var input freshet.CredentialInput
		must(input.FromFreshdeskApiKeyInput(freshet.FreshdeskApiKeyInput{Name: keyName, ApiKey: "demo-admin-key"}) == nil, "building the input failed")
		return input
	}
	idempotencyKey := ptr(uuid.NewString())
	key, err := client.CreateCredentialWithResponse(ctx, &freshet.CreateCredentialParams{IdempotencyKey: idempotencyKey}, buildKeyInput(name))
	must(err == nil && key.JSON201 != nil, "creating the credential failed: %v %s", err, key.Body)
	repeated, err := client.CreateCredentialWithResponse(ctx, &freshet.CreateCredentialParams{IdempotencyKey: idempotencyKey}, buildKeyInput(name))
	must(err == nil && reflect.DeepEqual(repeated.JSON201, key.JSON201), "the same idempotency key returned a different response: %s", repeated.Body)

	var secret freshet.CredentialInput
	passwordText, _ := warehouse.User.Password()
	must(secret.FromPostgresPasswordInput(freshet.PostgresPasswordInput{Name: name + " password", Password: passwordText}) == nil, "building the input failed")
	password, err := client.CreateCredentialWithResponse(ctx, nil, secret)
	must(err == nil && password.JSON201 != nil, "creating the password failed: %v %s", err, password.Body)

	port, _ := strconv.Atoi(warehouse.Port())
	destination, err := client.CreateDestinationWithResponse(ctx, nil, freshet.DestinationInput{
		Name: name, Type: "postgres", Host: warehouse.Hostname(), Port: &port, Database: strings.TrimPrefix(warehouse.Path, "/"),
		Username: warehouse.User.Username(), CredentialId: password.JSON201.Id, SslMode: ptr(freshet.DestinationInputSslMode("disable")),
	})
	must(err == nil && destination.JSON201 != nil, "creating the destination failed: %v %s", err, destination.Body)

	pipeline, err := client.CreatePipelineWithResponse(ctx, nil, freshet.PipelineInput{
		Name:          name,
		DestinationId: destination.JSON201.Id, DestinationSchema: ptr("go"),
		Source:  freshet.PipelineSourceInput{Type: "freshdesk", Subdomain: "demo", CredentialId: key.JSON201.Id},
		Objects: &map[string]freshet.ObjectSettings{"conversations": {Included: false}},
	})
	must(err == nil && pipeline.JSON201 != nil, "creating the pipeline failed: %v %s", err, pipeline.Body)
	read, err := client.GetPipelineWithResponse(ctx, pipeline.JSON201.Id)
	must(err == nil && reflect.DeepEqual(read.JSON200, pipeline.JSON201), "the pipeline differs from the response to its creation: %s", read.Body)
	must(!read.JSON200.Objects["conversations"].Included && *read.JSON200.Source.HistoricalSyncDays == 30, "the pipeline differs from the input: %s", read.Body)

	started, err := client.StartRunWithResponse(ctx, pipeline.JSON201.Id, nil, freshet.RunInput{})
	must(err == nil && started.JSON202 != nil, "starting the run failed: %v %s", err, started.Body)
	run := *started.JSON202
	for run.FinishedAt == nil {
		waited, err := client.GetRunWithResponse(ctx, run.Id, &freshet.GetRunParams{Wait: ptr(30)})
		must(err == nil && waited.JSON200 != nil, "getting the run failed: %v %s", err, waited.Body)
		run = *waited.JSON200
	}
	must(run.Status == "succeeded", "the run did not succeed: %+v", run)

	seenIDs := map[string]bool{}
	params := &freshet.ListCredentialsParams{Limit: ptr(1)}
	for {
		page, err := client.ListCredentialsWithResponse(ctx, params)
		must(err == nil && page.JSON200 != nil, "listing credentials failed: %v %s", err, page.Body)
		for _, credential := range page.JSON200.Data {
			must(!seenIDs[credential.Id.String()], "the list returned an item twice")
			seenIDs[credential.Id.String()] = true
		}
		if page.JSON200.NextCursor == nil {
			break
		}
		params.Cursor = page.JSON200.NextCursor
	}
	must(seenIDs[key.JSON201.Id.String()] && seenIDs[password.JSON201.Id.String()], "the list lacks a created credential")

	duplicate, err := client.CreateCredentialWithResponse(ctx, nil, buildKeyInput(name))
	must(err == nil && duplicate.ApplicationproblemJSON409 != nil && duplicate.ApplicationproblemJSON409.Code == "conflict", "a duplicate name was accepted: %s", duplicate.Body)
	missing, err := client.GetRunWithResponse(ctx, uuid.New(), nil)
	must(err == nil && missing.ApplicationproblemJSON404 != nil, "an unknown run was found: %s", missing.Body)
	outdated, err := client.UpdatePipelineWithResponse(ctx, pipeline.JSON201.Id, &freshet.UpdatePipelineParams{IfMatch: ptr(`"999"`)}, freshet.PipelineUpdate{FrequencyMinutes: ptr(60)})
	must(err == nil && outdated.ApplicationproblemJSON412 != nil, "an outdated version was accepted: %s", outdated.Body)
	unauthenticated, err := withToken("frt_unknown").GetRunWithResponse(ctx, run.Id, nil)
	must(err == nil && unauthenticated.ApplicationproblemJSON401 != nil, "an unknown token was accepted: %s", unauthenticated.Body)
	fmt.Println("The Go client passed all checks.")
}
