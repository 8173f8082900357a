#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <linux/if_packet.h>
#include <sys/eventfd.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Both calls are variadic, which Swift can't call.

// The calling thread's effective and permitted capabilities, of the first 32; none is inheritable.
static inline int umbra_set_capabilities(unsigned bits) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{bits, bits, 0}, {0, 0, 0}};
  return (int)syscall(SYS_capset, &header, data);
}

static inline int umbra_keep_capabilities(void) { return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }
