// A host as any Go program would write it: it runs the plugin given as its argument through one life.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type backend struct {
	plugin.NetRPCUnsupportedPlugin
}

type connection struct {
	broker *plugin.GRPCBroker
	conn   *grpc.ClientConn
}

func (backend) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (backend) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return connection{broker, conn}, nil
}

func main() {
	log.SetFlags(0)
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			MagicCookieKey:   "VAULT_BACKEND_PLUGIN",
			MagicCookieValue: "6669da05-b1c8-4f49-97d9-c8e5bed98e20",
		},
		VersionedPlugins: map[int]plugin.PluginSet{3: {"backend": backend{}}, 5: {"backend": backend{}}},
		Cmd:              exec.Command(os.Args[1]),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Trace}),
	})
	live(client)
	client.Kill()
	fmt.Println("exited", client.Exited())
}

func live(client *plugin.Client) {
	protocol, err := client.Client()
	check(client, err)
	fmt.Println("version", client.NegotiatedVersion())
	check(client, protocol.Ping())
	fmt.Println("ping")
	dispensed, err := protocol.Dispense("backend")
	check(client, err)
	c := dispensed.(connection)
	setup(client, c)
	handle(c, "log")
	err = handle(c, "fail")
	fmt.Println("long error", len(status.Convert(err).Message()))
}

// Messages of one field have the same form whatever their name, so no generated code is needed.
func setup(client *plugin.Client, c connection) {
	id := c.broker.NextId()
	go c.broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
		server := grpc.NewServer(options...)
		checks := health.NewServer()
		checks.SetServingStatus("greeting", grpc_health_v1.HealthCheckResponse_SERVING)
		grpc_health_v1.RegisterHealthServer(server, checks)
		return server
	})
	reply := &wrapperspb.StringValue{}
	check(client, c.conn.Invoke(context.Background(), "/pb.Backend/Setup", wrapperspb.UInt32(id), reply))
	if reply.Value != "" {
		fmt.Println(reply.Value)
	}
	fmt.Println("setup")
}

// A HandleRequestArgs whose request has nothing but an operation: two fields around a text.
func handle(c connection, operation string) error {
	inner := append([]byte{3<<3 | 2, byte(len(operation))}, operation...)
	args := wrapperspb.Bytes(nil)
	args.ProtoReflect().SetUnknown(append([]byte{2<<3 | 2, byte(len(inner))}, inner...))
	return c.conn.Invoke(context.Background(), "/pb.Backend/HandleRequest", args, &wrapperspb.BytesValue{})
}

func check(client *plugin.Client, err error) {
	if err != nil {
		client.Kill()
		log.Fatal(err)
	}
}
