/** The name that containerd turns into the shim's program: `containerd-shim-engineroom-v2`. */
export const DEFAULT_RUNTIME = 'io.containerd.engineroom.v2';
