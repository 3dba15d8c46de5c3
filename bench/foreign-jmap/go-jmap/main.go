// The Go library go-jmap against a server: one line for each thing that was tried, "what: works" or "what: why not".
// Environment: SESSION_URL, USER, PASSWORD; SSL_CERT_FILE for the certificate.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"git.sr.ht/~rockorager/go-jmap"
	_ "git.sr.ht/~rockorager/go-jmap/core"
	"git.sr.ht/~rockorager/go-jmap/core/push"
	"git.sr.ht/~rockorager/go-jmap/mail"
	"git.sr.ht/~rockorager/go-jmap/mail/email"
	"git.sr.ht/~rockorager/go-jmap/mail/emailsubmission"
	"git.sr.ht/~rockorager/go-jmap/mail/identity"
	"git.sr.ht/~rockorager/go-jmap/mail/mailbox"
	"git.sr.ht/~rockorager/go-jmap/mail/thread"
	"git.sr.ht/~rockorager/go-jmap/mail/vacationresponse"
)

var client *jmap.Client
var account jmap.ID
var boxes = map[string]jmap.ID{}

// One call; its answer, or the error that it is answered with.
func call[T any](method jmap.Method) (T, error) {
	var none T
	request := &jmap.Request{}
	request.Invoke(method)
	response, err := client.Do(request)
	if err != nil {
		return none, err
	}
	for _, each := range response.Responses {
		switch answer := each.Args.(type) {
		case T:
			return answer, nil
		case *jmap.MethodError:
			return none, fmt.Errorf("%s", answer.Type)
		}
	}
	return none, fmt.Errorf("no answer to %s", method.Name())
}

func try(what string, run func() error) {
	if err := run(); err != nil {
		fmt.Printf("%s: %s\n", what, strings.ReplaceAll(err.Error(), "\n", " "))
	} else {
		fmt.Printf("%s: works\n", what)
	}
}

func want(truth bool, what string) error {
	if truth {
		return nil
	}
	return fmt.Errorf("%s", what)
}

func session() error {
	client = &jmap.Client{SessionEndpoint: os.Getenv("SESSION_URL")}
	client.WithBasicAuth(os.Getenv("USER"), os.Getenv("PASSWORD"))
	if err := client.Authenticate(); err != nil {
		return err
	}
	account = client.Session.PrimaryAccounts[mail.URI]
	return want(account != "" && client.Session.Username == os.Getenv("USER"), "no account")
}

func mailboxes() error {
	answer, err := call[*mailbox.GetResponse](&mailbox.Get{Account: account})
	if err != nil {
		return err
	}
	for _, each := range answer.List {
		boxes[string(each.Role)] = each.ID
	}
	return want(boxes["inbox"] != "" && boxes["trash"] != "", "no INBOX")
}

func makeMailbox() error {
	made, err := call[*mailbox.SetResponse](&mailbox.Set{
		Account: account,
		Create:  map[jmap.ID]*mailbox.Mailbox{"a": {Name: "From Go"}},
	})
	if err != nil {
		return err
	}
	if made.Created["a"] == nil {
		return fmt.Errorf("not created: %v", made.NotCreated["a"])
	}
	id := made.Created["a"].ID
	gone, err := call[*mailbox.SetResponse](&mailbox.Set{
		Account: account,
		Destroy: []jmap.ID{id},
	})
	if err != nil {
		return err
	}
	return want(len(gone.Destroyed) == 1, "not destroyed")
}

// The newest messages, with what they say, and their threads, in one request.
func references() error {
	request := &jmap.Request{}
	query := request.Invoke(&email.Query{
		Account: account,
		Filter:  &email.FilterCondition{InMailbox: boxes["inbox"]},
		Sort:    []*email.SortComparator{{Property: "receivedAt"}},
		Limit:   10,
	})
	get := request.Invoke(&email.Get{
		Account:             account,
		ReferenceIDs:        &jmap.ResultReference{ResultOf: query, Name: "Email/query", Path: "/ids"},
		FetchTextBodyValues: true,
		MaxBodyValueBytes:   1000,
	})
	request.Invoke(&thread.Get{
		Account:      account,
		ReferenceIDs: &jmap.ResultReference{ResultOf: get, Name: "Email/get", Path: "/list/*/threadId"},
	})
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	if len(response.Responses) != 3 {
		return fmt.Errorf("%d answers", len(response.Responses))
	}
	emails, ok := response.Responses[1].Args.(*email.GetResponse)
	threads, also := response.Responses[2].Args.(*thread.GetResponse)
	if !ok || !also {
		return fmt.Errorf("other answers than were asked for")
	}
	if len(emails.List) != 10 || len(threads.List) == 0 {
		return fmt.Errorf("%d emails, %d threads", len(emails.List), len(threads.List))
	}
	for _, each := range emails.List {
		if each.ReceivedAt == nil || len(each.MailboxIDs) == 0 || each.BlobID == "" || each.BodyStructure != nil {
			return fmt.Errorf("an email without what every email has: %v", each)
		}
	}
	return nil
}

func blobs() (err error) {
	up, err := client.Upload(account, strings.NewReader("some octets"))
	if err != nil {
		return err
	}
	down, err := client.Download(account, up.ID)
	if err != nil {
		return err
	}
	defer down.Close()
	octets, err := io.ReadAll(down)
	if err != nil {
		return err
	}
	return want(string(octets) == "some octets" && up.Size == 11, "other octets: "+string(octets))
}

func importParse() error {
	text := "From: a@remote.test\r\nTo: bob@example.test\r\nSubject: imported from Go\r\n\r\nzebra\r\n"
	up, err := client.Upload(account, strings.NewReader(text))
	if err != nil {
		return err
	}
	parsed, err := call[*email.ParseResponse](&email.Parse{Account: account, BlobIDs: []jmap.ID{up.ID}})
	if err != nil {
		return err
	}
	if parsed.Parsed[up.ID] == nil || parsed.Parsed[up.ID].Subject != "imported from Go" {
		return fmt.Errorf("not parsed")
	}
	now := time.Now()
	made, err := call[*email.ImportResponse](&email.Import{
		Account: account,
		Emails: map[string]*email.EmailImport{"a": {
			BlobID:     up.ID,
			MailboxIDs: map[jmap.ID]bool{boxes["inbox"]: true},
			ReceivedAt: &now,
		}},
	})
	if err != nil {
		return err
	}
	if made.Created["a"] == nil {
		return fmt.Errorf("not created: %v", made.NotCreated["a"])
	}
	return nil
}

// Flag, move, find out by changes, destroy.
func setChanges() error {
	found, err := call[*email.QueryResponse](&email.Query{
		Account: account,
		Filter:  &email.FilterCondition{Subject: "imported from Go"},
	})
	if err != nil || len(found.IDs) != 1 {
		return fmt.Errorf("not found: %v", err)
	}
	id := found.IDs[0]
	list, err := call[*email.QueryResponse](&email.Query{
		Account: account,
		Filter:  &email.FilterCondition{InMailbox: boxes["inbox"]},
	})
	if err != nil {
		return err
	}
	before, err := call[*email.GetResponse](&email.Get{Account: account, IDs: []jmap.ID{id}, Properties: []string{"id"}})
	if err != nil {
		return err
	}
	set, err := call[*email.SetResponse](&email.Set{
		Account:   account,
		IfInState: before.State,
		Update: map[jmap.ID]jmap.Patch{id: {
			"keywords/$flagged":                             true,
			"mailboxIds/" + string(boxes["inbox"]):   nil,
			"mailboxIds/" + string(boxes["archive"]): true,
		}},
	})
	if err != nil {
		return err
	}
	if _, ok := set.Updated[id]; !ok {
		return fmt.Errorf("not updated: %v", set.NotUpdated[id])
	}
	changes, err := call[*email.ChangesResponse](&email.Changes{Account: account, SinceState: before.State})
	if err != nil {
		return err
	}
	if len(changes.Updated) != 1 || changes.Updated[0] != id {
		return fmt.Errorf("changes tell of %v", changes.Updated)
	}
	moved, err := call[*email.QueryChangesResponse](&email.QueryChanges{
		Account:         account,
		Filter:          &email.FilterCondition{InMailbox: boxes["inbox"]},
		SinceQueryState: list.QueryState,
	})
	if err != nil {
		return err
	}
	if len(moved.Removed) != 1 || moved.Removed[0] != id || len(moved.Added) != 0 {
		return fmt.Errorf("queryChanges: %v, %v", moved.Removed, moved.Added)
	}
	gone, err := call[*email.SetResponse](&email.Set{Account: account, Destroy: []jmap.ID{id}})
	if err != nil {
		return err
	}
	return want(len(gone.Destroyed) == 1, "not destroyed")
}

func send() error {
	who, err := call[*identity.GetResponse](&identity.Get{Account: account})
	if err != nil {
		return err
	}
	if len(who.List) == 0 {
		return fmt.Errorf("no identity")
	}
	request := &jmap.Request{}
	request.Invoke(&email.Set{
		Account: account,
		Create: map[jmap.ID]*email.Email{"mail": {
			MailboxIDs: map[jmap.ID]bool{boxes["drafts"]: true},
			Keywords:   map[string]bool{"$draft": true, "$seen": true},
			From:       []*mail.Address{{Name: "Bob", Email: os.Getenv("USER")}},
			To:         []*mail.Address{{Email: "alice@example.test"}},
			Subject:    "sent from Go",
			BodyStructure: &email.BodyPart{
				PartID: "1", Type: "text/plain",
			},
			BodyValues: map[string]*email.BodyValue{"1": {Value: "written in an editor"}},
		}},
	})
	request.Invoke(&emailsubmission.Set{
		Account: account,
		Create: map[jmap.ID]*emailsubmission.EmailSubmission{"sub": {
			IdentityID: who.List[0].ID,
			EmailID:    "#mail",
			Envelope: &emailsubmission.Envelope{
				MailFrom: &emailsubmission.Address{Email: os.Getenv("USER")},
				RcptTo:   []*emailsubmission.Address{{Email: "alice@example.test"}},
			},
		}},
		OnSuccessUpdateEmail: map[jmap.ID]jmap.Patch{"#sub": {
			"keywords/$draft":                               nil,
			"mailboxIds/" + string(boxes["drafts"]): nil,
			"mailboxIds/" + string(boxes["sent"]):   true,
		}},
	})
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	for _, each := range response.Responses {
		switch answer := each.Args.(type) {
		case *jmap.MethodError:
			return fmt.Errorf("%s", answer.Type)
		case *email.SetResponse:
			if len(answer.NotCreated)+len(answer.NotUpdated) > 0 {
				return fmt.Errorf("email: %v %v", answer.NotCreated, answer.NotUpdated)
			}
		case *emailsubmission.SetResponse:
			if answer.Created["sub"] == nil {
				return fmt.Errorf("submission: %v", answer.NotCreated["sub"])
			}
			got, err := call[*emailsubmission.GetResponse](&emailsubmission.Get{
				Account: account, IDs: []jmap.ID{answer.Created["sub"].ID},
			})
			if err != nil {
				return err
			}
			if len(got.List) != 1 || got.List[0].UndoStatus != "final" {
				return fmt.Errorf("the submission is not to be had")
			}
		}
	}
	return nil
}

func vacation() error {
	got, err := call[*vacationresponse.GetResponse](&vacationresponse.Get{Account: account})
	if err != nil {
		return err
	}
	return want(len(got.List) == 1, "no vacation response")
}

func pushed() error {
	told := make(chan *jmap.StateChange, 10)
	stream := &push.EventSource{
		Client:  client,
		Handler: func(change *jmap.StateChange) { told <- change },
		Ping:    5,
	}
	ended := make(chan error, 1)
	go func() { ended <- stream.Listen() }()
	time.Sleep(time.Second)
	found, err := call[*email.QueryResponse](&email.Query{Account: account, Limit: 1})
	if err != nil {
		return err
	}
	if _, err = call[*email.SetResponse](&email.Set{
		Account: account,
		Update:  map[jmap.ID]jmap.Patch{found.IDs[0]: {"keywords/fromgo": true}},
	}); err != nil {
		return err
	}
	after, err := call[*email.GetResponse](&email.Get{Account: account, IDs: found.IDs, Properties: []string{"id"}})
	if err != nil {
		return err
	}
	limit := time.After(10 * time.Second)
	for {
		select {
		case change := <-told:
			if change.Changed[account]["Email"] == after.State {
				stream.Close()
				return nil
			}
		case err := <-ended:
			return fmt.Errorf("the stream ended: %v", err)
		case <-limit:
			return fmt.Errorf("nothing was told")
		}
	}
}

// SearchSnippet/get is left out: version 0.4 calls it Mailbox/get.
func main() {
	try("session, with a password", session)
	try("Mailbox/get", mailboxes)
	try("Mailbox/set", makeMailbox)
	try("Email/query, Email/get, Thread/get by back-references", references)
	try("upload, download", blobs)
	try("Email/parse, Email/import", importParse)
	try("Email/set, Email/changes, Email/queryChanges", setChanges)
	try("Email/set and EmailSubmission/set in one, EmailSubmission/get", send)
	try("VacationResponse/get", vacation)
	try("push by EventSource", pushed)
}
