#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <linux/if_packet.h>
#include <sys/eventfd.h>
