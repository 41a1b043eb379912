// A plugin that never stops writing to its redirected stdout and stderr.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

type silent struct {
	plugin.NetRPCUnsupportedPlugin
}

func (silent) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (silent) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

func main() {
	own := os.Stdout
	go func() {
		for os.Stdout == own {
			time.Sleep(time.Millisecond)
		}
		for {
			time.Sleep(time.Millisecond)
			fmt.Fprintln(os.Stdout, strings.Repeat("o", 1000))
			fmt.Fprintln(os.Stderr, strings.Repeat("e", 1000))
		}
	}()
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  5,
			MagicCookieKey:   "VAULT_BACKEND_PLUGIN",
			MagicCookieValue: "6669da05-b1c8-4f49-97d9-c8e5bed98e20",
		},
		Plugins:    plugin.PluginSet{"backend": silent{}},
		GRPCServer: plugin.DefaultGRPCServer,
	})
}
